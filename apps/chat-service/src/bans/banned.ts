import { ChatError } from '@chat-realtime/protocol';

export function bannedError(): ChatError {
  return new ChatError('banned', 'messages from here are not taken any more');
}

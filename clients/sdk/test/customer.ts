// A site that has nothing but the chat: what its bundle begins with is what each of its pages loads.
export { createChatClient } from '../src/index.ts';

export { createBadge } from '@chat-realtime/client/badge';

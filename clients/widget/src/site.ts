// Loaded by the panel on sites that keep their own chat.
export { siteBackend } from '@chat-realtime/client/site';

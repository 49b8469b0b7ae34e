// For simulations of others: the real core of a gateway in virtual time, with clients and a chat-service in memory.
export {
  type EdgeAnswer,
  type EdgeConnection,
  MemoryEdge,
  type PollPeer,
  type SocketPeer,
  type StreamPeer,
} from './memory-edge.ts';
export { FakeChatService, type FakeSession } from './fake-chat-service.ts';
export { seeded } from './seeded.ts';
// To be broken by those who show that a simulation can fail.
export { Sequencer } from '../streams/sequencer.ts';
export { SessionOwners } from '../streams/session-owners.ts';
export { VirtualClient, type VirtualFrame } from './virtual-client.ts';
export { VirtualClock } from './virtual-clock.ts';
export type { Passage } from './virtual-fanout.ts';
export type { Verifier } from '../ports.ts';
export type { Verdict } from '@chat-realtime/verifier';
export { VirtualGateway, type VirtualSetup } from './virtual-gateway.ts';

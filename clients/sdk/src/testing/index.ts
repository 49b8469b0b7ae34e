// For tests of what is built on the client: everything the client touches, in memory and in the test's own hands.
export { createClock, settle, type VirtualClock } from './clock.ts';
export type { FakeConnection, FakeGateway } from './fake-gateway.ts';
export {
  FakeServer,
  type EventStore,
  type FakeHooks,
  type FakeReply,
  type FakeRequest,
  type FakeSession,
} from './fake-server.ts';
export { createFakeBrowser, type FakeBrowser } from './fake-tabs.ts';
export { createRandom, type Random } from './random.ts';
export { createSocketPair, type ServerEnd, type SocketPair } from './socket-pair.ts';
export { createWorld, type FakeWorld, type NetworkFaults, type Tab, type WorldOptions } from './world.ts';

import { type Stack, sleep, until } from '@chat-realtime/testkit';
import { MetricsPage } from '../recorder/metrics.ts';

const DEAD_MS = 1_000;
const READY_MS = 10_000;
/** However the leader ends: killed, stopped, or cut off while its connection stays open. */
const TAKEOVER_MS = 5_000;

async function leads(address: string): Promise<boolean> {
  return (await MetricsPage.read(address)).sum('chat_relay_leader') === 1;
}

/** Makes the instance that nginx does not know the leader, so that whoever answers the posts lives through the fault. */
async function standbyLeads(stack: Stack): Promise<NonNullable<Stack['standby']>> {
  const { chat, standby, addresses } = stack;
  if (standby === null || addresses.standby === null) throw new Error('this case needs the standby of the stack');
  // Whoever comes back finds the lock taken.
  if (await leads(addresses.chat)) await chat.restart();
  const { standby: leader } = addresses;
  await until(() => leads(leader), { timeoutMs: READY_MS, what: 'the standby leading' });
  return standby;
}

async function takenOver(stack: Stack): Promise<void> {
  const harmedAt = Date.now();
  await until(() => leads(stack.addresses.chat), { timeoutMs: TAKEOVER_MS, what: 'the other instance leading' });
  console.log(`relay taken over after ${Date.now() - harmedAt} ms`);
}

/** What the instance that answers the posts commits must find a new leader. */
export async function killRelayLeader(stack: Stack): Promise<void> {
  const leader = await standbyLeads(stack);
  await leader.kill();
  await takenOver(stack);
  await sleep(DEAD_MS);
  await leader.start();
}

/** Its connection stays open, and with it, but for the server's bound, its lock. Woken, it must not publish beside the new one. */
export async function stopRelayLeader(stack: Stack): Promise<void> {
  const leader = await standbyLeads(stack);
  leader.pause();
  try {
    await takenOver(stack);
    await sleep(DEAD_MS);
  } finally {
    leader.resume();
  }
}

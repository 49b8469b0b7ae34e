import { type Stack, sleep, until } from '@chat-realtime/testkit';
import { MetricsPage } from '../recorder/metrics.ts';

const DEAD_MS = 1_000;
const TAKEOVER_MS = 10_000;

async function leads(address: string): Promise<boolean> {
  return (await MetricsPage.read(address)).sum('chat_relay_leader') === 1;
}

/**
 * Kills the instance that leads the relay while the other, which answers the posts, lives on: what it commits must find
 * a new leader.
 */
export async function killRelayLeader(stack: Stack): Promise<void> {
  const { chat, standby, addresses } = stack;
  if (standby === null || addresses.standby === null) throw new Error('this case needs the standby of the stack');
  if (await leads(addresses.chat)) {
    // Whoever comes back finds the lock taken: so the instance that nginx does not know becomes the leader.
    await chat.restart();
  }
  const { standby: leader } = addresses;
  await until(() => leads(leader), { timeoutMs: TAKEOVER_MS, what: 'the standby leading' });
  await standby.kill();
  const killedAt = Date.now();
  await until(() => leads(addresses.chat), { timeoutMs: TAKEOVER_MS, what: 'the other instance leading' });
  console.log(`relay taken over after ${Date.now() - killedAt} ms`);
  await sleep(DEAD_MS);
  await standby.start();
}

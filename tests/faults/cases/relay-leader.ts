import { readFile } from 'node:fs/promises';
import { type AppProcess, endingAt, type Stack, sleep, UNTOUCHED, until } from '@chat-realtime/testkit';
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

/** Nothing has a number yet; numbers are given and nothing is published; a message is confirmed and nothing marked. */
export type RelayStep = 'relay.beforeStamp' | 'relay.afterStamp' | 'relay.afterConfirm';
const FIRES_MS = 30_000;

/** Ends the connection that holds the relay's lock. */
async function cutOffLeader(stack: Stack): Promise<void> {
  await stack.postgres.query(
    `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = 1129599564`,
  );
  await sleep(200);
}

/** Stopped, as the system sees it. */
async function stopped({ pid }: AppProcess): Promise<boolean> {
  return /^State:\s*T/m.test(await readFile(`/proc/${pid}/status`, 'utf8'));
}

/**
 * The leader ends in the same place of its work each time, with events under way: `panic` as a power cut, `stop` as a host
 * that hangs and comes back. Nothing may get two numbers, and nobody may be shown an event twice.
 */
export async function leaderEndsBetweenSteps(stack: Stack, end: 'panic' | 'stop', step: RelayStep): Promise<void> {
  const { standby, addresses } = stack;
  if (standby === null) throw new Error('this case needs the standby of the stack');
  await standby.restart(endingAt(step, end));
  const fired = () => (end === 'panic' ? Promise.resolve(!standby.running) : stopped(standby));
  const ended = async (): Promise<boolean> => {
    if (await fired()) return true;
    // The other one loses the lock with its connection, and finds it taken when it is back.
    if (await leads(addresses.chat)) await cutOffLeader(stack);
    return false;
  };
  await until(ended, { timeoutMs: FIRES_MS, everyMs: 100, what: `the leader at ${step}` });
  await takenOver(stack);
  await sleep(DEAD_MS);
  if (end === 'panic') await standby.start(UNTOUCHED);
  else standby.resume();
  await until(() => leads(addresses.chat), { timeoutMs: READY_MS, what: 'one leader' });
  await standby.restart(UNTOUCHED);
}

const HELD_S = 2;

/** Settles when the row is let go, or could not be held. */
function holdFeedHead(stack: Stack): Promise<void> {
  return stack.postgres
    .query(`WITH held AS (SELECT only_row FROM feed_head FOR UPDATE) SELECT pg_sleep(${HELD_S}) FROM held`)
    .then(
      () => undefined,
      () => undefined,
    );
}

/**
 * The leader ends while its stamp is under way in the database: the statement waits for a row that is held meanwhile, and
 * goes on without anybody who hears of its end.
 */
export async function leaderEndsInsideStamp(stack: Stack, end: 'panic' | 'stop'): Promise<void> {
  const leader = await standbyLeads(stack);
  let held = Promise.resolve();
  const inside = async (): Promise<boolean> => {
    const rows = await stack.postgres.query(
      `SELECT pg_sleep(0.02), EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'
         AND query LIKE '%chat_next_batch%' AND pid <> pg_backend_pid()) AS waits`,
    );
    return rows[0]?.['waits'] === true;
  };
  const holds = async (): Promise<boolean> => {
    const rows = await stack.postgres.query(
      `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(${HELD_S})%' AND pid <> pg_backend_pid()) AS holds`,
    );
    return rows[0]?.['holds'] === true;
  };
  const caught = async (): Promise<boolean> => {
    // A machine that is slow to connect must not let the row go before the stamp has come to it.
    if (!(await holds())) held = holdFeedHead(stack);
    return inside();
  };
  await until(caught, { timeoutMs: FIRES_MS, everyMs: 20, what: 'a stamp that waits' });
  if (end === 'panic') await leader.kill();
  else leader.pause();
  await held;
  await takenOver(stack);
  await sleep(DEAD_MS);
  if (end === 'panic') await leader.start();
  else leader.resume();
}

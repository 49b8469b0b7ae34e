import { type Figure, ms, percentile, type Report } from '../report.ts';
import { startGenerator, startServer } from './pair.ts';

const SESSION = 21;
const READERS = 60;
const SLOW = 20;
const BODY_BYTES = 12_000;
/** In all about 12 MB to each socket: more than the kernel and the gateway keep for a reader that stands still. */
const ROUNDS = 1_000;
const GAP_MS = 10;
const GOAL_MS = 10;
const REPEATS = 3;

interface Run {
  readonly p50: number;
  readonly p99: number;
  readonly closed: number;
}

/** Readers of one session, with or without some that stop reading; how late the others get their messages. */
async function run(slow: number): Promise<Run> {
  const gateway = startServer('gateway');
  const generator = startGenerator();
  try {
    const port = await gateway.call('port', null);
    const clients = { kind: 'tabs', session: SESSION } as const;
    await generator.call('open', { group: 'readers', port, count: READERS, clients, measureDelays: true });
    if (slow > 0) await generator.call('open', { group: 'slow', port, count: slow, clients });
    while ((await gateway.call('connections', null)) < READERS + slow)
      await new Promise((resolve) => setTimeout(resolve, 20));
    const request = { burst: 1, gapMs: GAP_MS, to: SESSION, bodyBytes: BODY_BYTES };
    await gateway.call('broadcast', { ...request, rounds: 100 });
    await generator.call('delivered', { group: 'readers', each: 100, timeoutMs: 30_000 });
    await generator.call('reset', { group: 'readers' });
    if (slow > 0) await generator.call('pause', { group: 'slow' });
    await gateway.call('broadcast', { ...request, rounds: ROUNDS });
    await generator.call('delivered', { group: 'readers', each: ROUNDS, timeoutMs: 30_000 });
    const delays = await generator.call('delays', { group: 'readers' });
    // Those left are the readers: every slow one has lost its place.
    const left = await gateway.call('connections', null);
    return {
      p50: percentile(delays, 0.5) / 1_000,
      p99: percentile(delays, 0.99) / 1_000,
      closed: READERS + slow - left,
    };
  } finally {
    await Promise.all([gateway.stop(), generator.stop()]);
  }
}

export async function slowReader(): Promise<Report> {
  const effects: { alone: Run; beside: Run; effect: number }[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    const alone = await run(0);
    const beside = await run(SLOW);
    effects.push({ alone, beside, effect: beside.p99 - alone.p99 });
  }
  const effect = percentile(
    effects.map((each) => each.effect),
    0.5,
  );
  const typical = effects.find((each) => each.effect === effect) ?? effects[0];
  const shed = Math.min(...effects.map((each) => each.beside.closed));
  const figures: Figure[] = [
    {
      what: `p99 of ${READERS} readers beside ${SLOW} that stand still, minus without them`,
      measured: ms(effect),
      beside: `p99 ${ms(typical?.beside.p99 ?? Number.NaN)} beside ${ms(typical?.alone.p99 ?? Number.NaN)}`,
      goal: `< ${GOAL_MS} ms`,
      met: effect < GOAL_MS,
    },
    { what: 'slow readers sent away meanwhile', measured: `${shed} of ${SLOW}`, goal: `${SLOW}`, met: shed === SLOW },
  ];
  return { name: 'slow-reader', title: 'A slow reader and the others of its session', figures, raw: effects };
}

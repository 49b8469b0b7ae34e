import { type Figure, median, ms, percentile, type Report } from '../report.ts';
import { startGenerator, startServer } from './pair.ts';

const SESSION = 21;
const READERS = 30;
const MANY = 20;
const BODY_BYTES = 16_000;
/** In all about 10 MB to each socket: more than the kernel and the gateway keep for a reader that stands still. */
const ROUNDS = 600;
const GAP_MS = 20;
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
    const request = { leadIn: 0, burst: 1, gapMs: GAP_MS, to: SESSION, bodyBytes: BODY_BYTES };
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
      p50: percentile(delays, 0.5),
      p99: percentile(delays, 0.99),
      closed: READERS + slow - left,
    };
  } finally {
    await Promise.all([gateway.stop(), generator.stop()]);
  }
}

export async function slowReader(): Promise<Report> {
  const alone: Run[] = [];
  const besideOne: Run[] = [];
  const besideMany: Run[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    alone.push(await run(0));
    besideOne.push(await run(1));
    besideMany.push(await run(MANY));
  }
  const p99 = (runs: readonly Run[]): number => median(runs.map((each) => each.p99));
  const effect = (runs: readonly Run[]): number =>
    median(runs.map((each, index) => each.p99 - (alone[index]?.p99 ?? Number.NaN)));
  const shed = (runs: readonly Run[]): number => Math.min(...runs.map((each) => each.closed));
  const figureOf = (slow: number, runs: readonly Run[]): Figure => ({
    what: `p99 of ${READERS} readers beside ${slow} that stand${slow === 1 ? 's' : ''} still, minus without`,
    measured: ms(effect(runs)),
    beside: `p99 ${ms(p99(runs))} beside, ${ms(p99(alone))} without`,
  });
  const one = figureOf(1, besideOne);
  const spread = Math.max(...alone.map((each) => each.p99)) - Math.min(...alone.map((each) => each.p99));
  // Where readers without a slow one differ by more than the goal from run to run, nothing is shown either way.
  const judged = spread < GOAL_MS ? { met: effect(besideOne) < GOAL_MS } : {};
  const figures: Figure[] = [
    { ...one, goal: `< ${GOAL_MS} ms`, ...judged },
    {
      what: 'p99 without any, largest minus smallest of the runs',
      measured: ms(spread),
      beside: 'above the goal: too noisy to judge',
    },
    figureOf(MANY, besideMany),
    {
      what: 'of those standing still, sent away to resume later',
      measured: `${shed(besideOne)} of 1, ${shed(besideMany)} of ${MANY}`,
      goal: 'all',
      met: shed(besideOne) === 1 && shed(besideMany) === MANY,
    },
  ];
  const title = 'A reader that stands still, and the others of its session';
  return { name: 'slow-reader', title, figures, raw: { alone, besideOne, besideMany } };
}

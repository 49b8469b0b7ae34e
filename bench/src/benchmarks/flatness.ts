import { type Figure, median, type Report, us } from '../report.ts';
import { BODY_BYTES } from './fan-out.ts';
import { Crowd, startGenerator, startServer } from './pair.ts';

/** Deliveries in one measurement, whatever the number of sockets. */
const DELIVERIES = 40_000;
const REPEATS = 5;
const SIZES = [100, 1_000, 5_000, 9_000];
const FIRST_SESSION = 11;
/** From the smallest to the largest crowd; more would mean that something grows with the crowd. */
const FLAT = 1.5;

/** CPU for one delivery must not depend on how many there are: each size in turn, several times over. */
export async function flatness(): Promise<Report> {
  const gateway = startServer('gateway');
  const generator = startGenerator();
  try {
    const crowds: Crowd[] = [];
    for (const [index, count] of SIZES.entries()) {
      const clients = { kind: 'tabs', session: FIRST_SESSION + index } as const;
      crowds.push(await Crowd.open(gateway, generator, { group: `${count}`, count, clients }));
    }
    const costs = new Map<number, number[]>(SIZES.map((size) => [size, []]));
    for (let repeat = 0; repeat <= REPEATS; repeat += 1) {
      for (const crowd of crowds) {
        const rounds = Math.ceil(DELIVERIES / crowd.size);
        const cost = await crowd.cost({ rounds, burst: 1, gapMs: crowd.size / 40, bodyBytes: BODY_BYTES });
        // The first time round only warms up.
        if (repeat > 0) costs.get(crowd.size)?.push(cost.sum);
      }
    }
    const medians = SIZES.map((size) => median(costs.get(size) ?? []));
    const base = medians[0] ?? Number.NaN;
    const figures = SIZES.map((size, index): Figure => {
      const cost = medians[index] ?? Number.NaN;
      const what = `CPU per delivery, ${size} sockets of one session`;
      if (index === 0) return { what, measured: us(cost) };
      const ratio = cost / base;
      return {
        what,
        measured: `${us(cost)} = ${ratio.toFixed(2)} × that of ${SIZES[0]}`,
        goal: `≤ ${FLAT} ×`,
        met: ratio <= FLAT,
      };
    });
    return {
      name: 'flatness',
      title: 'Flatness: the cost of a delivery by the size of the crowd',
      figures,
      raw: Object.fromEntries(costs),
    };
  } finally {
    await Promise.all([gateway.stop(), generator.stop()]);
  }
}

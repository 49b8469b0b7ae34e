import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { targetKind } from './target.ts';

/**
 * A fixed order, so that each target is started once and the sweep test, which waits for a minute to pass since the
 * first file of its profile, comes as late as its target lives.
 */
const STANDALONE = ['limits/connections', 'limits/', 'main/', 'resume/', 'drain/', 'limits/zz-'];
/** A stack is expensive: one at a time. */
const STACK = ['main/', 'resume/', 'limits/connections', 'limits/', 'limits/zz-', 'drain/'];

function rank(path: string, order: readonly string[]): number {
  let best = -1;
  let length = -1;
  for (const [index, prefix] of order.entries()) {
    if (!path.includes(`/${prefix}`) || prefix.length <= length) continue;
    best = index;
    length = prefix.length;
  }
  return best;
}

export class TargetOrder extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const order = targetKind() === 'stack' ? STACK : STANDALONE;
    const sorted = files.toSorted(
      (a, b) => rank(a.moduleId, order) - rank(b.moduleId, order) || a.moduleId.localeCompare(b.moduleId),
    );
    return Promise.resolve(sorted);
  }
}

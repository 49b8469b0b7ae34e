import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * A fixed order: one target after the other, since a stack is expensive, and within `main` the tests last that wait for a
 * minute to have passed since its first file, or restart it.
 */
const ORDER = ['main/', 'main/zz-', 'resume/', 'browser/together', 'limits/', 'channel-only/', 'drain/'];

function rank(path: string): number {
  let best = -1;
  let length = -1;
  for (const [index, prefix] of ORDER.entries()) {
    if (!path.includes(`/${prefix}`) || prefix.length <= length) continue;
    best = index;
    length = prefix.length;
  }
  return best;
}

export class TargetOrder extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = files.toSorted(
      (a, b) => rank(a.moduleId) - rank(b.moduleId) || a.moduleId.localeCompare(b.moduleId),
    );
    return Promise.resolve(sorted);
  }
}

import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * A fixed order: one target after the other, since a stack is expensive. Within `main` two files come last: the one that
 * waits until a minute has passed since the first file, and the one that restarts the target.
 */
const ORDER = [
  'main/',
  'main/idle-close',
  'main/restart',
  'resume/',
  'browser/together',
  'limits/',
  'channel-only/',
  'drain/',
];

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

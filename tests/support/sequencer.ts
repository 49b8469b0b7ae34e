import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { targetKind } from './target-kinds.ts';

/** It waits until a minute has passed since the first file: the later, the shorter. */
const IDLE_CLOSE = 'one-service/idle-close';
/** A stack ends when the next profile begins; standalones go on beside each other. */
const isStack = targetKind() === 'stack';

/**
 * A fixed order: one target after the other, since a stack is expensive. What restarts or terminates a target comes last
 * of those that use it.
 */
const ORDER = [
  'main/',
  'one-service/',
  ...(isStack ? [IDLE_CLOSE] : []),
  'main/restart',
  'resume/',
  'browser/together',
  'limits/',
  'limits/drain',
  'channel-only/',
  ...(isStack ? [] : [IDLE_CLOSE]),
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

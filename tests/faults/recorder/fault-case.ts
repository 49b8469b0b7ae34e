import { type Stack, sleep } from '@chat-realtime/testkit';
import type { SeededRandom } from '../../support/seeded-random.ts';
import { check } from '../checker/check.ts';
import type { Bounds, History } from '../checker/history.ts';
import { Campaign, type CampaignOptions } from './campaign.ts';
import { describe, type Figures, figuresOf } from './figures.ts';

export interface FaultCase {
  readonly name: string;
  /** Breaks something and resolves when it is whole again, as far as a supervisor or an administrator makes it so. */
  readonly fault: (stack: Stack) => Promise<void>;
  readonly bounds: Bounds;
  /** Traffic before and after the fault. */
  readonly aroundMs?: number;
  readonly campaign?: CampaignOptions;
}

export interface CaseResult {
  readonly history: History;
  readonly figures: Figures;
  readonly violations: readonly string[];
  /** Who was away, for how long and why, and what the services had to say: printed where a bound was missed. */
  readonly outages: readonly string[];
  readonly warnings: readonly string[];
}

/** Traffic, fault, traffic, silence, judgement. */
export async function runCase(stack: Stack, random: SeededRandom, faultCase: FaultCase): Promise<CaseResult> {
  const { name, fault, bounds, aroundMs = 2_000 } = faultCase;
  const startedAt = Date.now();
  const campaign = await Campaign.start(stack, random, faultCase.campaign);
  await sleep(aroundMs);
  const from = Date.now();
  await fault(stack);
  campaign.healed();
  const lasted = Date.now() - from;
  await sleep(aroundMs);
  const history = await campaign.settle(bounds.shownWithinMs);
  stack.assertAlive();
  const figures = figuresOf(history, campaign.followers);
  console.log(`${name} (${(lasted / 1_000).toFixed(1)} s)\n    ${describe(figures)}`);
  return {
    history,
    figures,
    violations: check(history, bounds),
    warnings: warningsSince(stack, startedAt),
    outages: campaign.followers.flatMap((follower) =>
      follower.outages.map((outage) => `${follower.name}: ${outage.backAt - outage.lostAt} ms (${outage.why})`),
    ),
  };
}

function warningsSince(stack: Stack, since: number): string[] {
  const services = [stack.chat, stack.standby, stack.dispatcher, ...stack.gateways];
  return services.flatMap((service) =>
    (service?.logs ?? [])
      .filter((record) => record['level'] !== 'info' && Date.parse(String(record['time'])) >= since)
      .map((record) => {
        const { level, time, service: _service, err, ...rest } = record;
        const cause = err instanceof Object && 'message' in err ? ` (${String(err.message)})` : '';
        return `${service?.name} ${String(time)} ${String(level)} ${JSON.stringify(rest)}${cause}`;
      }),
  );
}

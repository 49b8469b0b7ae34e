import { FakeChatService, Sequencer, SessionOwners } from '@chat-realtime/channel-gateway/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createChatClient } from './customer/client.ts';
import { createStaffClient } from './staff/client.ts';
import { ACTIONS, type Clients, simulate, type SimulationResult } from './testing/simulation.ts';

const CLIENTS: Clients = { createChatClient, createStaffClient };
const STEPS = Number(process.env['SIMULATION_STEPS'] ?? 100_000);
/**
 * The same seeds for everybody, so that a run reflects the change it tests. New seeds: `SIMULATION_SEED=$RANDOM`, with
 * more steps.
 */
const SEED = Number(process.env['SIMULATION_SEED'] ?? 20_261_129);

// Thousands of requests fail on purpose; recording stack traces would take half of the time.
const { stackTraceLimit } = Error;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

/** Which fault a run would have with operators who ask for order before they are told of another database. */
function reachedBy({ again, ahead }: SimulationResult['excused']): 'again' | 'ahead' | null {
  return again > 0 ? 'again' : ahead > 0 ? 'ahead' : null;
}

describe('clients, the core of the gateway and a chat-service in virtual time', () => {
  it(
    `[RES1] [RES2] [RES5] [RES6] [STF3] [STF5] [ASG10] agree after ${STEPS} frames and requests of whatever fails (seeds from ${SEED})`,
    async () => {
      let steps = 0;
      let events = 0;
      let seed = SEED;
      const reaching = { again: [] as number[], ahead: [] as number[] };
      for (; steps < STEPS; seed += 1) {
        const result = await simulate(CLIENTS, seed);
        steps += result.steps;
        events += result.events;
        const reached = reachedBy(result.excused);
        if (reached) reaching[reached].push(seed);
        const repeat = `SIMULATION_SEED=${seed} SIMULATION_STEPS=1\n${result.log.join(' ')}`;
        expect(result.problems, repeat).toEqual([]);
      }
      const runs = `${ACTIONS} actions with each of the seeds ${SEED} to ${seed - 1}`;
      console.log(`simulated ${runs}: ${steps} steps, frames and requests among them, ${events} events shown`);
      console.log(`out of order after a restore: again ${reaching.again.join(' ')}; ahead ${reaching.ahead.join(' ')}`);
    },
    Math.max(120_000, STEPS * 6),
  );

  /**
   * Seeds that once found a fault, in the code or in the simulation. What a seed does changes with the simulated code, so
   * each names what it must still reach. A seed that no longer does is replaced: with enough steps the run above names
   * others.
   */
  it.each([
    ['expects no order between the restore of a database and the reset that announces it', 11_017, 'again'],
    ['expects none if the gateway treated events of the new database as known', 11_325, 'ahead'],
  ] as const)('[RES1] [RES7] [STF3] %s (seed %i)', async (_what, seed, reached) => {
    const { problems, excused } = await simulate(CLIENTS, seed);
    expect(problems).toEqual([]);
    expect(reachedBy(excused), `seed ${seed} no longer reaches what it is kept for`).toBe(reached);
  });
});

/** What the simulation reports about a broken part within some seeds. */
async function found(clients: Clients = CLIENTS): Promise<string> {
  for (let seed = 1; seed <= 60; seed += 1) {
    const { problems } = await simulate(clients, seed);
    if (problems.length > 0) return problems.join('\n');
  }
  return '';
}

describe('the simulation finds', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('a gateway that shows a narrow scope events outside it', async () => {
    vi.spyOn(SessionOwners.prototype, 'seesLive').mockReturnValue(true);
    expect(await found()).toMatch(/of the feed is not theirs to see/);
  });

  it('a gateway that hides from a narrow scope events inside it, from a page', async () => {
    vi.spyOn(SessionOwners.prototype, 'seesPaged').mockImplementation(({ scope }) => scope === 'all');
    expect(await found()).toMatch(/(?:assigned|own): was not shown/);
  });

  it('a gateway that passes on early events instead of holding them', async () => {
    vi.spyOn(Sequencer.prototype, 'accept').mockImplementation(function (this: Sequencer<unknown>, number) {
      if (number <= this.cursor) return 'known';
      this.cursor = number;
      return 'next';
    });
    expect(await found()).toMatch(/of the feed after|after \d+/);
  });

  it('a gateway that forgets held events', async () => {
    vi.spyOn(Sequencer.prototype, 'skipTo').mockImplementation(() => undefined);
    expect(await found()).not.toBe('');
  });

  it('a chat-service that omits an event from a page of the feed', async () => {
    const { feedPage } = FakeChatService.prototype;
    vi.spyOn(FakeChatService.prototype, 'feedPage').mockImplementation(function (this: FakeChatService, after, limit) {
      const page = feedPage.call(this, after, limit);
      return { ...page, events: page.events.filter((_, index) => index !== 1) };
    });
    expect(await found()).toMatch(/of the feed after/);
  });

  it('a device that keeps no unsent texts', async () => {
    const forgetful: Clients['createChatClient'] = (options) => {
      const storage = { ...options.environment?.storage, get: () => null, keys: () => [] };
      return createChatClient({ ...options, environment: { ...options.environment, storage } as never });
    };
    expect(await found({ ...CLIENTS, createChatClient: forgetful })).toMatch(/are lost|sessions begun|shows/);
  });
});

import { createMemoryFanout, type Fanout, type FanoutCommand, UnavailableError } from '@chat-realtime/messaging';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { SILENT_LOGGER } from '../testing/virtual-gateway.ts';
import { FanoutLink } from './fanout-link.ts';

const nobody = (): void => undefined;

/** A link over a fan-out whose calls the test controls. */
function linkUnderTest(changed: Partial<Fanout> = {}) {
  const clock = new VirtualClock();
  const inner = createMemoryFanout();
  const fanout: Fanout = {
    connected: true,
    execute: (commands) => inner.execute(commands),
    subscribe: (channel, listener) => inner.subscribe(channel, listener),
    unsubscribe: (channel, listener) => inner.unsubscribe(channel, listener),
    onState: (listener) => inner.onState(listener),
    close: () => inner.close(),
    ...changed,
  };
  return { clock, link: new FanoutLink({ fanout, clock, logger: SILENT_LOGGER }) };
}

const away = (): Promise<void> => Promise.reject(new UnavailableError('redis'));

describe('the link to the fan-out', () => {
  it('never rejects: each call says whether it succeeded', async () => {
    const { link } = linkUnderTest({ subscribe: away, unsubscribe: away, execute: away });
    expect(await link.subscribe('chat:1', nobody)).toBe(false);
    expect(await link.publish('chat:1', {})).toBe(false);
    await link.unsubscribe('chat:1', nobody);
    const whole = linkUnderTest();
    expect(await whole.link.subscribe('chat:1', nobody)).toBe(true);
    expect(await whole.link.publish('chat:1', {})).toBe(true);
  });

  it('publishes JSON on the given channel', async () => {
    const sent: FanoutCommand[] = [];
    const { link } = linkUnderTest({ execute: async (commands) => void sent.push(...commands) });
    await link.publish('chat:1', { type: 'chat.typing', seq: null });
    expect(sent).toEqual([{ kind: 'publish', channel: 'chat:1', payload: '{"type":"chat.typing","seq":null}' }]);
  });

  it('receives messages once it has subscribed, and none after it has unsubscribed', async () => {
    const { clock, link } = linkUnderTest();
    const heard: string[] = [];
    const listener = (payload: Buffer): void => void heard.push(payload.toString());
    await link.subscribe('chat:1', listener);
    await link.publish('chat:1', { n: 1 });
    await clock.advance(0);
    await link.unsubscribe('chat:1', listener);
    await link.publish('chat:1', { n: 2 });
    await clock.advance(0);
    expect(heard).toEqual(['{"n":1}']);
  });
});

describe('following a channel', () => {
  it('settles once with a response that comes in time', async () => {
    const { clock, link } = linkUnderTest();
    const settled: boolean[] = [];
    await link.follow('chat:1', nobody, (subscribed) => settled.push(subscribed));
    await clock.advance(10_000);
    expect(settled).toEqual([true]);
  });

  it('settles as failed if the fan-out is unavailable', async () => {
    const { link } = linkUnderTest({ subscribe: away });
    const settled: boolean[] = [];
    await link.follow('chat:1', nobody, (subscribed) => settled.push(subscribed));
    expect(settled).toEqual([false]);
  });

  it('delays nobody by more than two seconds, and settles again when the response comes after all', async () => {
    const answer = Promise.withResolvers<void>();
    const { clock, link } = linkUnderTest({ subscribe: () => answer.promise });
    const settled: boolean[] = [];
    const following = link.follow('chat:1', nobody, (subscribed) => settled.push(subscribed));
    await clock.advance(1_999);
    expect(settled).toEqual([]);
    await clock.advance(1);
    expect(settled).toEqual([false]);
    answer.resolve();
    await following;
    expect(settled).toEqual([false, true]);
  });

  it('settles as failed twice if the late response is a failure', async () => {
    const answer = Promise.withResolvers<void>();
    const { clock, link } = linkUnderTest({ subscribe: () => answer.promise });
    const settled: boolean[] = [];
    const following = link.follow('chat:1', nobody, (subscribed) => settled.push(subscribed));
    await clock.advance(2_000);
    answer.reject(new UnavailableError('redis'));
    await following;
    expect(settled).toEqual([false, false]);
  });
});

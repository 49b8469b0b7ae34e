import { until } from '@chat-realtime/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Fanout, FanoutListener, FanoutState } from '../ports/fanout.ts';

export interface FanoutFixture {
  readonly fanout: Fanout;
  cleanUp(): Promise<void>;
}

/** Records received frames, as text. */
export function recorder(): { listener: FanoutListener; texts: string[]; payloads: Buffer[] } {
  const texts: string[] = [];
  const payloads: Buffer[] = [];
  return {
    texts,
    payloads,
    listener: (payload, channel) => {
      texts.push(`${channel} ${payload.toString()}`);
      payloads.push(payload);
    },
  };
}

export function publishTo(fanout: Fanout, channel: string, ...payloads: string[]): Promise<void> {
  return fanout.execute(payloads.map((payload) => ({ kind: 'publish', channel, payload })));
}

export function fanoutSuite(name: string, make: () => Promise<FanoutFixture>): void {
  describe(`fan-out: ${name}`, () => {
    let fanout: Fanout;
    let cleanUp: () => Promise<void>;
    beforeEach(async () => {
      ({ fanout, cleanUp } = await make());
      await until(() => fanout.connected);
    });
    afterEach(() => cleanUp());

    it('[RDS] delivers what is published after a subscription stands, in order, to its channel alone', async () => {
      const one = recorder();
      const other = recorder();
      await fanout.subscribe('chat:1', one.listener);
      await fanout.subscribe('chat:2', other.listener);
      await fanout.execute([
        { kind: 'publish', channel: 'chat:1', payload: 'a' },
        { kind: 'publish', channel: 'chat:2', payload: 'b' },
        { kind: 'publish', channel: 'chat:3', payload: 'nobody hears this' },
        { kind: 'append', stream: 'chat:staff:stream', field: 'frame', payload: 'b', maxLength: 100 },
        { kind: 'publish', channel: 'chat:1', payload: 'привет ✓' },
      ]);
      await until(() => one.texts.length === 2 && other.texts.length === 1);
      expect(one.texts).toEqual(['chat:1 a', 'chat:1 привет ✓']);
      expect(other.texts).toEqual(['chat:2 b']);
    });

    it('hands the same bytes to all listeners of a channel', async () => {
      const recorders = [recorder(), recorder()];
      for (const { listener } of recorders) await fanout.subscribe('chat:1', listener);
      await publishTo(fanout, 'chat:1', 'x');
      await until(() => recorders.every(({ payloads }) => payloads.length === 1));
      expect(recorders[0]?.payloads[0]).toBeInstanceOf(Buffer);
      expect(recorders[0]?.payloads[0]).toBe(recorders[1]?.payloads[0]);
    });

    it('never runs a listener on the publisher’s stack', async () => {
      const { listener, texts } = recorder();
      await fanout.subscribe('chat:1', listener);
      const published = publishTo(fanout, 'chat:1', 'x');
      expect(texts).toEqual([]);
      await published;
      await until(() => texts.length === 1);
    });

    it('stops at unsubscribe, for that listener alone, and starts again', async () => {
      const [staying, leaving] = [recorder(), recorder()];
      await fanout.subscribe('chat:1', staying.listener);
      await fanout.subscribe('chat:1', leaving.listener);
      await fanout.unsubscribe('chat:1', leaving.listener);
      await publishTo(fanout, 'chat:1', 'a');
      await until(() => staying.texts.length === 1);
      await fanout.unsubscribe('chat:1', staying.listener);
      await publishTo(fanout, 'chat:1', 'b');
      const left = fanout.unsubscribe('chat:1', staying.listener);
      await Promise.all([left, fanout.subscribe('chat:1', leaving.listener)]);
      await publishTo(fanout, 'chat:1', 'c');
      await until(() => leaving.texts.length === 1);
      expect(staying.texts).toEqual(['chat:1 a']);
      expect(leaving.texts).toEqual(['chat:1 c']);
    });

    it('holds a subscription that is made while the last one is given up', async () => {
      const [first, second] = [recorder(), recorder()];
      await fanout.subscribe('chat:1', first.listener);
      const left = fanout.unsubscribe('chat:1', first.listener);
      await fanout.subscribe('chat:1', second.listener);
      await left;
      await publishTo(fanout, 'chat:1', 'a');
      await until(() => second.texts.length === 1);
      expect(first.texts).toEqual([]);
    });

    it('keeps a failing listener from the others', async () => {
      const good = recorder();
      await fanout.subscribe('chat:1', () => {
        throw new Error('listener failed');
      });
      await fanout.subscribe('chat:1', good.listener);
      await publishTo(fanout, 'chat:1', 'a', 'b');
      await until(() => good.texts.length === 2);
    });

    it('tells its state to whoever asks late, and rejects when closed', async () => {
      const states: FanoutState[] = [];
      fanout.onState((state) => states.push(state));
      await until(() => states.length === 1);
      expect(states).toEqual([{ kind: 'connected' }]);
      await fanout.close();
      expect(fanout.connected).toBe(false);
      await expect(publishTo(fanout, 'chat:1', 'x')).rejects.toMatchObject({ code: 'unavailable' });
      await expect(fanout.subscribe('chat:1', () => undefined)).rejects.toMatchObject({ code: 'unavailable' });
    });
  });
}

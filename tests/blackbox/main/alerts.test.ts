import { badgeDataSchema, configResponseSchema, staffStateSchema } from '@chat-realtime/protocol';
import { until } from '@chat-realtime/testkit';
import { beforeAll, describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { idleSession } from '../../support/idle-session.ts';
import { expectError } from '../../support/expect-error.ts';
import { SECRETS } from '../../support/profiles.ts';

const chat = await useChat('main');
beforeAll(async () => {
  await idleSession(chat, await chat.staff('anna'));
});

describe('GET /chat/alerts', () => {
  test('[ALR1] [RD8] the badge counts unassigned sessions and mine', async () => {
    const [anna, boris] = [await chat.staff('anna'), await chat.staff('boris')];
    const [free, mine, theirs] = [await chat.customer(), await chat.customer(), await chat.customer()];
    const before = await anna.alerts();
    for (const customer of [free, mine, theirs]) {
      await customer.post('one');
      await customer.post('two');
    }
    const unread = await anna.alerts();
    expect(unread.unassigned_unread).toBe(before.unassigned_unread + 3);
    expect(unread.waiting_count).toBe(before.waiting_count + 3);
    expect(unread.unread_count).toBe(unread.unassigned_unread + unread.mine_unread);
    await anna.act(mine.sessionId, 'assign');
    await boris.act(theirs.sessionId, 'assign');
    const assigned = await anna.alerts();
    expect(assigned).toMatchObject({
      unassigned_unread: before.unassigned_unread + 1,
      mine_unread: before.mine_unread + 1,
      waiting_count: before.waiting_count + 3,
    });
    expect(Date.parse(assigned.oldest_waiting_since ?? '')).toBeLessThanOrEqual(Date.now());
    await anna.post(mine.sessionId, 'answer');
    await anna.act(free.sessionId, 'close');
    const done = await anna.alerts();
    expect(done).toMatchObject({
      unassigned_unread: before.unassigned_unread,
      mine_unread: before.mine_unread,
      waiting_count: before.waiting_count + 1,
    });
    await boris.act(theirs.sessionId, 'close');
  });

  test('[ALR2] since: new dialogs, my updates, the alerts after it', async () => {
    const anna = await chat.staff('anna');
    const mine = await chat.customer();
    await anna.act(mine.sessionId, 'assign');
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const since = new Date().toISOString();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await anna.alerts({ since })).toMatchObject({ has_new_dialogs: false, has_my_updates: false });
    await mine.post('for me');
    expect(await anna.alerts({ since })).toMatchObject({ has_new_dialogs: false, has_my_updates: true });
    const fresh = await chat.customer();
    await fresh.post('for anyone');
    const answer = await until(
      async () => {
        const seen = await anna.alerts({ since });
        return seen.alerts.some((alert) => alert.session_id === fresh.sessionId) ? seen : undefined;
      },
      { timeoutMs: 3_000, what: 'session_created in the alerts' },
    );
    expect(answer).toMatchObject({ has_new_dialogs: true, has_my_updates: true });
    expect(answer.alerts.every((alert) => Date.parse(alert.created_at) >= Date.parse(since))).toBe(true);
    const last = Math.max(...answer.alerts.map((alert) => alert.id));
    const after = await anna.alerts({ since: String(last) });
    expect(after.alerts.every((alert) => alert.id > last)).toBe(true);
    await anna.act(mine.sessionId, 'close');
    await anna.act(fresh.sessionId, 'close');
  });

  test('[ALR2] [ERR4] an unreadable since is 422', async () => {
    const anna = await chat.staff('anna');
    for (const since of ['yesterday', '%00', '-5', '1.5'])
      expectError(await anna.request('GET', `/chat/alerts?since=${since}`), 'validation_failed');
  });

  test('[ALR3] [WS14] the badge comes on the staff channel at most once a second, and always with the last value', async () => {
    const anna = await chat.staff('anna');
    const customer = await chat.customer();
    const openedAt = Date.now();
    const console = await chat.staffChannel(anna);
    const ready = await console.ready();
    const start = staffStateSchema.parse(ready.data['state']).badge.mine_unread[anna.userId] ?? 0;
    await anna.act(customer.sessionId, 'assign');
    for (let index = 0; index < 5; index += 1) await customer.post(`b${index}`);
    const frame = await console.waitFor(
      (one) =>
        one.type === 'chat.alert' && (badgeDataSchema.parse(one.data).mine_unread[anna.userId] ?? 0) === start + 1,
      { label: 'chat.alert with one more of mine' },
    );
    expect([frame.seq, frame.session_id]).toEqual([null, null]);
    await anna.post(customer.sessionId, 'answer');
    const from = console.frames.indexOf(frame);
    await console.waitFor(
      (one) => one.type === 'chat.alert' && (badgeDataSchema.parse(one.data).mine_unread[anna.userId] ?? 0) === start,
      { from },
    );
    // Counted over the whole time, since a busy machine may hand over late what was sent a second apart.
    const alerts = console.frames.filter((one) => one.type === 'chat.alert').length;
    expect(alerts).toBeLessThanOrEqual((Date.now() - openedAt) / 1_000 + 2);
    expect((await anna.alerts()).mine_unread).toBe(start);
  });

  test('[ASG11] [FRM5] operators with their presence and number of sessions', async () => {
    const [anna, boris] = [await chat.staff('anna'), await chat.staff('boris')];
    const of = async (id: string) => (await anna.operators()).find((operator) => operator.id === id);
    const before = (await of(boris.userId))?.active_sessions ?? 0;
    const customer = await chat.customer();
    await boris.act(customer.sessionId, 'assign');
    expect(await of(boris.userId)).toMatchObject({ role: 'operator', active_sessions: before + 1 });
    const console = await chat.staffChannel(boris);
    await until(async () => (await of(boris.userId))?.presence === 'online', {
      timeoutMs: 15_000,
      everyMs: 200,
      what: 'boris online',
    });
    await console.close();
    await until(async () => (await of(boris.userId))?.presence === 'offline', {
      timeoutMs: 17_000,
      everyMs: 200,
      what: 'boris offline',
    });
    await boris.act(customer.sessionId, 'close');
    expect((await of(boris.userId))?.active_sessions).toBe(before);
  }, 40_000);
});

describe('configuration', () => {
  test('[CFG1] is public, cacheable and complete', async () => {
    const answer = await chat.http.get('/chat/config');
    const config = answer.as(configResponseSchema);
    expect(answer.header('cache-control')).toMatch(/public/);
    expect(answer.header('cache-control')).toMatch(/max-age=\d+/);
    expect(config.consent.version).not.toBe('');
    for (const secret of Object.values(SECRETS)) expect(answer.text).not.toContain(secret);
  });

  test('[CFG2] online while an operator is connected', async () => {
    const anna = await chat.staff('anna');
    await chat.staffChannel(anna);
    await until(async () => (await chat.http.get('/chat/config')).as(configResponseSchema).online, {
      timeoutMs: 16_000,
      everyMs: 250,
    });
  }, 20_000);
});

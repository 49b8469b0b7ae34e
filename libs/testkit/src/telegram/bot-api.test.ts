import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeBotApi } from './bot-api.ts';
import { ManualClock } from './clock.ts';

const CHAT = 42;

describe('the fake Bot API in virtual time', () => {
  let clock: ManualClock;
  let api: FakeBotApi;
  beforeEach(async () => {
    clock = new ManualClock();
    api = await FakeBotApi.start(0, clock);
  });
  afterEach(() => api.stop());

  interface Answer {
    readonly ok: boolean;
    readonly error_code?: number;
    readonly parameters?: { readonly retry_after?: number };
    readonly result?: { readonly date?: number };
  }
  const call = async (method: string, values: object): Promise<Answer> => {
    const response = await fetch(`${api.url}/bot${api.token}/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(values),
    });
    return (await response.json()) as Answer;
  };
  const send = () => call('sendMessage', { chat_id: CHAT, text: 'x' });

  it('spaces and dates the messages of a chat by that time', async () => {
    api.limitChats(60_000);
    expect((await send()).result?.date).toBe(Date.UTC(2026, 0, 1) / 1_000);
    expect(await send()).toMatchObject({ error_code: 429, parameters: { retry_after: 60 } });
    clock.advance(59_000);
    expect(await send()).toMatchObject({ error_code: 429, parameters: { retry_after: 1 } });
    clock.advance(1_000);
    expect((await send()).result?.date).toBe(Date.UTC(2026, 0, 1, 0, 1) / 1_000);
  });

  it('holds a poll and a delayed response until that time', async () => {
    const poll = call('getUpdates', { timeout: 3_600 });
    await expect.poll(() => clock.waiting).toBe(1);
    clock.advance(3_600_000);
    expect(await poll).toEqual({ ok: true, result: [] });
    api.faults.next('sendMessage', { kind: 'late', ms: 600_000 });
    const late = send();
    await expect.poll(() => clock.waiting).toBe(1);
    expect(api.shownTo(CHAT)).toHaveLength(1);
    clock.advance(600_000);
    expect((await late).ok).toBe(true);
  });
});

import type { CatchupRequest, CatchupResponse, SharedSettings } from '@chat-realtime/protocol';
import { OriginPolicy } from '@chat-realtime/service-kit';
import { TokenVerifier } from '@chat-realtime/verifier';
import { describe, expect, it } from 'vitest';
import { SettingsFollower } from './settings-follower.ts';

const SHOP = 'https://shop.example';

/** A chat-service that returns settings newer than the caller's. */
function follower(allowed: readonly string[] = []) {
  let now = 0;
  const state = { epoch: 'a', away: false, settings: { version: 5, origins: [SHOP], channel_token_seconds: 600 } };
  const asked: CatchupRequest[] = [];
  const source = {
    catchup: (request: CatchupRequest): Promise<CatchupResponse> => {
      asked.push(request);
      if (state.away) return Promise.reject(new Error('away'));
      const isNewer = state.settings.version > (request.settings_version ?? Number.POSITIVE_INFINITY);
      return Promise.resolve({ sessions: [], epoch: state.epoch, ...(isNewer && { settings: state.settings }) });
    },
    acks: () => Promise.resolve(),
  };
  const origins = OriginPolicy.create({ allowed, demo: false });
  const verifier = TokenVerifier.create({});
  const follows = new SettingsFollower(source, { origins, verifier }, () => now);
  const save = (settings: Partial<SharedSettings>) => Object.assign(state.settings, settings);
  return { follows, origins, verifier, state, asked, save, later: (ms: number) => (now += ms) };
}

describe('saved settings at a gateway', () => {
  it('[SET11] [SET12] [SET13] arrive with calls that are made anyway', async () => {
    const { follows, origins, verifier, asked, save } = follower();
    expect(origins.has(SHOP)).toBe(false);
    await follows.source.catchup({ sessions: [{ id: 1 }], limit: 1 });
    expect([origins.has(SHOP), verifier.channelTokenTtl]).toEqual([true, 600]);
    save({ version: 6, origins: [], channel_token_seconds: 86_400 });
    await follows.source.catchup({ sessions: [], limit: 1 });
    expect([origins.has(SHOP), verifier.channelTokenTtl]).toEqual([false, 86_400]);
    expect(asked.map((request) => request.settings_version)).toEqual([0, 5]);
  });

  it('[SET11] are requested when no other call is made, at most as often as the head check', async () => {
    const { follows, origins, asked, later } = follower();
    await follows.ask();
    expect([asked.length, origins.has(SHOP)]).toEqual([1, true]);
    later(9_000);
    await follows.ask();
    expect(asked).toHaveLength(1);
    later(2_000);
    await follows.ask();
    expect(asked).toHaveLength(2);
  });

  it('[SET11] stay in effect while nobody answers, and are replaced by older ones only after a restore', async () => {
    const { follows, origins, state, save, later } = follower();
    await follows.ask();
    state.away = true;
    later(60_000);
    await follows.ask();
    expect(origins.has(SHOP)).toBe(true);
    state.away = false;
    save({ version: 3, origins: [] });
    await follows.source.catchup({ sessions: [], limit: 1 });
    expect(origins.has(SHOP)).toBe(true);
    state.epoch = 'b';
    await follows.source.catchup({ sessions: [], limit: 1 });
    await follows.source.catchup({ sessions: [], limit: 1 });
    expect(origins.has(SHOP)).toBe(false);
  });

  it('[SET11] change nothing that a variable sets', async () => {
    const { follows, origins } = follower(['https://www.shop.example']);
    await follows.ask();
    expect([origins.has(SHOP), origins.has('https://www.shop.example')]).toEqual([false, true]);
  });
});

import type { Backend } from '@chat-realtime/client';
import { describe, expect, it, vi } from 'vitest';
import { adoptSession, callsOf, laterBackend, siteOf } from './site.ts';

const page = (value?: string) => ({
  querySelector: () => (value === undefined ? null : { getAttribute: () => value }),
});

it('is ours by default, and the site’s by attribute or by the options of a script', () => {
  expect(siteOf({}, page())).toBeNull();
  expect(siteOf({}, page('off'))).toBeNull();
  expect(siteOf({}, page(''))).toEqual({});
  expect(siteOf({}, page('{"session":"chat_id"}'))).toEqual({ session: 'chat_id' });
  expect(siteOf({ site: { session: 7 } }, page('{"session":"chat_id"}'))).toEqual({ session: 7 });
});

it('[BES40] offers a callback if the site has a path for it, and its time if the site has a name for that', () => {
  expect(callsOf(null)).toEqual({ offered: true, atTime: true });
  expect(callsOf({})).toEqual({ offered: true, atTime: false });
  expect(callsOf({ fields: { request: { preferred_at: 'call_at' } } })).toEqual({ offered: true, atTime: true });
  expect(callsOf({ paths: { callback: '/api/{id}/call' } })).toEqual({ offered: true, atTime: false });
  expect(callsOf({ paths: { callback: '' } })).toMatchObject({ offered: false });
});

it('reports invalid JSON, and continues with the defaults', () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  expect(siteOf({}, page('{session:'))).toEqual({});
  expect(said).toHaveBeenCalledOnce();
  said.mockRestore();
});

function storage(values: Record<string, string>): Pick<Storage, 'getItem' | 'setItem'> {
  const kept = new Map(Object.entries(values));
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
}

it('continues a chat of the site’s own page once, and never a second one', () => {
  const kept = storage({ chat_id: '41' });
  adoptSession({ session: 'chat_id' }, 'default', kept);
  const stored = (): unknown => JSON.parse(kept.getItem('chat-realtime:default:session') ?? 'null');
  expect(stored()).toMatchObject({ id: 41, token: null });
  kept.setItem('chat_id', '42');
  adoptSession({ session: 'chat_id' }, 'default', kept);
  expect(stored()).toMatchObject({ id: 41 });
  for (const nothing of [{ session: 'other' }, { session: -1 }, {}]) {
    const empty = storage({ other: 'x' });
    adoptSession(nothing, 'default', empty);
    expect(empty.getItem('chat-realtime:default:session')).toBeNull();
  }
});

describe('a backend that is loaded at its first call', () => {
  it('is loaded once, and again after loading failed', async () => {
    const { reportPage: _, ...most } = laterBackend(() => Promise.reject(new Error('never')));
    const lines: string[] = [];
    const site: Backend = {
      ...most,
      markRead: async () => undefined,
      lines: (transports) => ({ ...transports, sse: transports.websocket }),
    };
    let asked = 0;
    const backend = laterBackend(async () => {
      asked += 1;
      if (asked === 1) throw new TypeError('offline');
      return site;
    });
    const access = { sessionId: 7, token: 't' };
    await expect(backend.markRead(access, 1)).rejects.toMatchObject({ code: 'network', retryable: true });
    await Promise.all([backend.markRead(access, 1), backend.markRead(access, 2)]);
    expect(asked).toBe(2);
    // A field that this site's backend does not have is empty, and no error.
    await backend.reportPage?.(access, 'https://shop.example/');
    const open = (name: string) => () => {
      lines.push(name);
      return { send: () => false, close: () => undefined };
    };
    const own = { websocket: open('websocket'), sse: open('sse'), poll: open('poll'), rest: open('rest') };
    for (const later of [laterBackend(() => Promise.reject(new Error('never'))), backend]) {
      const opened = later.lines?.(own, () => Promise.resolve([]));
      // None of these uses its arguments.
      const nothing = undefined as never;
      for (const line of Object.values(opened ?? {})) line(nothing, nothing, null, nothing);
    }
    expect(lines).toEqual(['websocket', 'sse', 'poll', 'rest', 'websocket', 'websocket', 'poll', 'rest']);
  });
});

import { ChatClientError } from '@chat-realtime/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { followReturnLink, takeReturnCode } from './return-link.ts';

function taken(hash: string): { code: string | null; address: string | null } {
  let address: string | null = null;
  const history = {
    state: { page: 1 },
    replaceState: (_state: unknown, _title: string, url: string) => {
      address = url;
    },
  };
  const code = takeReturnCode({ hash, pathname: '/lamp', search: '?id=1' }, history);
  return { code, address };
}

describe('the link of a mail in the address of a page', () => {
  it('is removed, and nothing else', () => {
    expect(taken('#chat-return=abc_-9')).toEqual({ code: 'abc_-9', address: '/lamp?id=1' });
    expect(taken('#/list&chat-return=abc&sort=price')).toEqual({ code: 'abc', address: '/lamp?id=1#/list&sort=price' });
    expect(taken('#chat-return=')).toEqual({ code: '', address: '/lamp?id=1' });
  });

  it('is not looked for in the address of other pages', () => {
    for (const hash of ['', '#', '#reviews', '#my-chat-return=abc'])
      expect(taken(hash)).toEqual({ code: null, address: null });
  });
});

describe('following it', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const follow = async (...outcomes: (ChatClientError | null)[]) => {
    const said: unknown[] = [];
    const codes: string[] = [];
    const openMailLink = (code: string): Promise<never> => {
      codes.push(code);
      const next = outcomes.shift();
      return next ? Promise.reject(next) : Promise.resolve({} as never);
    };
    const ending = new AbortController();
    const parts = { client: { openMailLink }, signal: ending.signal, say: (what: unknown) => said.push(what) };
    const done = followReturnLink('code', { ...parts, failed: () => undefined });
    await vi.advanceTimersByTimeAsync(60_000);
    await done;
    return { said, codes };
  };
  const refusal = (code: ChatClientError['code'], status: number) => new ChatClientError(code, undefined, { status });

  it('shows nothing if it worked, and the reason if it did not', async () => {
    expect(await follow(null)).toEqual({ said: [null], codes: ['code'] });
    expect((await follow(refusal('bad_credentials', 401))).said).toEqual(['linkEnded']);
    expect((await follow(refusal('validation_failed', 422))).said).toEqual(['linkEnded']);
    expect((await follow(refusal('signed_in', 0))).said).toEqual(['linkSignedIn']);
  });

  it('retries while the server does not answer, since the code is still valid', async () => {
    const { said, codes } = await follow(refusal('network', 0), refusal('rate_limited', 429), null);
    expect(said).toEqual(['connectionLost', 'wait', null]);
    expect(codes).toHaveLength(3);
  });
});

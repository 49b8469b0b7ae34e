import type { ChatClient, ConfigResponse, SessionEvent } from '@chat-realtime/client';
import { describe, expect, it } from 'vitest';
import { createCell } from './cell.ts';
import type { Kept, TabMemory } from './tab-memory.ts';
import { createWriting, type Writing } from './writing.ts';

const tokenOf = (sub: string): string => `e30.${btoa(JSON.stringify({ sub }))}.x`;

/** One tab in which one page follows another. */
function tab() {
  let stored: Kept | null = null;
  const memory: TabMemory = {
    read: () => stored,
    keep: (kept) => void (stored = kept),
    forget: () => void (stored = null),
    keepOpen: () => undefined,
  };
  const page = () => {
    const state = createCell({ identified: false });
    const listeners: ((event: SessionEvent) => void)[] = [];
    const client = {
      getState: state.getState,
      subscribe: state.subscribe,
      on: (_: string, listener: (event: SessionEvent) => void) => {
        listeners.push(listener);
        return () => undefined;
      },
    } as Partial<ChatClient> as ChatClient;
    const writing: Writing = createWriting(memory, client, createCell<ConfigResponse | null>(null));
    return {
      writing,
      signIn(sub: string) {
        state.set({ identified: true });
        writing.signedIn(tokenOf(sub));
      },
      hear: (event: SessionEvent) => listeners.forEach((listener) => listener(event)),
      signOut: () => state.set({ identified: false }),
    };
  };
  return { page, stored: () => stored };
}

describe('a draft, from page to page', () => {
  it('is kept for the guest who wrote it, even after they signed in', () => {
    const { page } = tab();
    page().writing.draft.set('до входа');
    const next = page();
    expect(next.writing.draft.getState()).toBe('до входа');
    next.signIn('anna');
    expect(next.writing.draft.getState()).toBe('до входа');
  });

  it('is shown to the customer who wrote it, as soon as they are identified', () => {
    const { page } = tab();
    const first = page();
    first.signIn('anna');
    first.writing.draft.set('мой заказ');
    const next = page();
    expect(next.writing.draft.getState()).toBe('');
    next.signIn('anna');
    expect(next.writing.draft.getState()).toBe('мой заказ');
  });

  it('is hidden from another customer, on the next page or on this one', () => {
    const { page } = tab();
    const first = page();
    first.signIn('anna');
    first.writing.draft.set('мой заказ');
    const next = page();
    next.signIn('boris');
    expect(next.writing.draft.getState()).toBe('');
    next.writing.draft.set('другое');
    next.signIn('olga');
    expect(next.writing.draft.getState()).toBe('');
    const last = page();
    last.signIn('boris');
    expect(last.writing.draft.getState()).toBe('');
  });

  it.each([
    ['session', ''],
    ['before', 'half a word'],
  ] as const)('[ERA2] after an erasure of scope %s is %j', (scope, draft) => {
    const { page, stored } = tab();
    const one = page();
    one.writing.draft.set('half a word');
    const data = { scope, through_id: 1, kinds: ['messages' as const], ...(scope === 'before' && { through_seq: 1 }) };
    one.hear({ type: 'chat.erased', session_id: 1, seq: 3, data });
    expect([one.writing.draft.getState(), stored()?.draft ?? '']).toEqual([draft, draft]);
  });

  it('is deleted when the customer signs out', () => {
    const { page } = tab();
    const first = page();
    first.signIn('anna');
    first.writing.draft.set('мой заказ');
    first.signOut();
    const next = page();
    next.signIn('anna');
    expect(next.writing.draft.getState()).toBe('');
  });
});

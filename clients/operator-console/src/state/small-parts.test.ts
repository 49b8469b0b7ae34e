import type { CallbackStatus } from '@chat-realtime/client/staff';
import { CALLBACK_STEPS, callbackStatusSchema, isOpenCallback } from '@chat-realtime/protocol';
import { slowest } from '@chat-realtime/testkit';
import { describe, expect, it } from 'vitest';
import { merged, unseenCount } from './alerts.ts';
import { byDue, callsToMake, dueGroup, isOpen, nextSteps } from './callbacks.ts';
import { Drafts } from './drafts.ts';
import { filled, matching } from './quick-replies.ts';
import { parseRoute, routeHash } from './route.ts';
import { originOf, widgetSnippet } from './snippets.ts';
import { marked, markedLine } from './highlight.ts';
import { missedOf } from './stale.ts';
import { duration } from '../i18n/duration.ts';
import { WAIT_CRITICAL_MS, WAIT_WARNING_MS, waitLevel } from './waiting.ts';
import { textFor, withoutEmpty } from './widget-settings.ts';
import { scrollToShow, windowOf } from './window.ts';

function memory(): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
  const values = new Map<string, string>();
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
  };
}

describe('drafts', () => {
  it('are kept per session, kind and operator, and survive a reload', () => {
    const storage = memory();
    const before = new Drafts(storage);
    before.setOwner('anna');
    before.set(1, 'reply', 'half a senten');
    before.set(1, 'note', 'a note');
    const after = new Drafts(storage);
    after.setOwner('anna');
    expect([after.get(1, 'reply'), after.get(1, 'note'), after.get(2, 'reply')]).toEqual([
      'half a senten',
      'a note',
      '',
    ]);
    after.setOwner('boris');
    expect(after.get(1, 'reply')).toBe('');
  });
});

describe('waiting', () => {
  it('has two thresholds', () => {
    expect([0, WAIT_WARNING_MS - 1, WAIT_WARNING_MS, WAIT_CRITICAL_MS].map(waitLevel)).toEqual([
      ...['calm', 'calm', 'warning', 'critical'],
    ]);
  });
  it('rounds down', () => {
    expect(duration(59_999)).toEqual({ unit: 's', value: 59 });
    expect(duration(3_660_000)).toEqual({ unit: 'h', value: 1, minutes: 1 });
    expect(duration(200_000_000)).toEqual({ unit: 'd', value: 2 });
  });
});

describe('window of a long list', () => {
  it('draws a few dozen of 5,000 rows wherever it is scrolled', () => {
    for (const scrollTop of [0, 76 * 2_500, 76 * 5_000]) {
      const { from, to } = windowOf({ scrollTop, height: 900 }, { count: 5_000, rowHeight: 76 });
      expect(to - from).toBeLessThan(40);
      expect(to).toBeLessThanOrEqual(5_000);
    }
  });
  it('scrolls only as far as needed to show a row', () => {
    const sight = { scrollTop: 760, height: 760 };
    expect(scrollToShow(12, 76, sight)).toBeNull();
    expect(scrollToShow(2, 76, sight)).toBe(152);
    expect(scrollToShow(20, 76, sight)).toBe(836);
  });
});

describe('quick replies', () => {
  const replies = [
    { shortcut: 'hello', title: 'Greeting', text: 'Hello, {{name}}! I am {{operator}} of {{site}}.' },
    { shortcut: 'bye', title: 'The end', text: 'Say hello to all' },
  ];
  it('are found by key first, then by text', () => {
    expect(matching(replies, 'hel').map((reply) => reply.shortcut)).toEqual(['hello', 'bye']);
  });
  it('leave no hole where the name is not known, and look at nobody else for variables', () => {
    const fill = (name: string | null): string =>
      filled(replies[0]?.text ?? '', { name, operator: 'Anna', site: 'shop.example' });
    expect(fill(null)).toBe('Hello! I am Anna of shop.example.');
    expect(fill('Max')).toBe('Hello, Max! I am Anna of shop.example.');
    expect(fill('{{operator}} $&')).toBe('Hello, {{operator}} $&! I am Anna of shop.example.');
  });
  it('cost no more than their length, whatever stands in reply, name and search', () => {
    const cost = slowest(4_000, (text) => [
      filled(text, { name: text, operator: text, site: text }),
      matching([{ shortcut: text, title: text, text }], text),
      ...[marked(text, text.slice(0, 200)), marked(text, text.slice(1, 3))],
    ]);
    expect(cost.ms, cost.text).toBeLessThan(40);
  });
});

describe('what a search has found', () => {
  const hits = (text: string, query: string) =>
    marked(text, query)
      .map((piece) => (piece.hit ? `[${piece.text}]` : piece.text))
      .join('');
  it('is marked without regard to case and to ё', () => {
    expect(hits('Счёт и счет', 'СЧЕТ')).toBe('[Счёт] и [счет]');
    expect(hits('ничего', 'счёт')).toBe('ничего');
    expect(markedLine('Здравствуйте! Пришлите, пожалуйста, счёт', 'счет')).toEqual([
      { text: '…, пожалуйста, ', hit: false },
      { text: 'счёт', hit: true },
    ]);
    expect(hits('İстанбул и счёт', 'счет')).toContain('счёт');
  });
});

describe('alerts', () => {
  const alert = (id: number) => ({
    ...{ id, reason: 'waiting' as const, session_id: 1, created_at: '2026-01-01T10:00:00Z' },
    contact: { name: null, email: null, phone: null },
  });
  it('stand newest first, each once, and those that were not seen are counted', () => {
    const list = merged([alert(2), alert(1)], [alert(2), alert(3), alert(4)]);
    expect(list.map(({ id }) => id)).toEqual([4, 3, 2, 1]);
    expect(merged(list, [alert(3)])).toBe(list);
    expect(unseenCount({ list, seen: 2 })).toBe(2);
  });
});

describe('look and texts', () => {
  it('of one language override the general ones, and emptied ones are not sent', () => {
    const texts = { title: 'All', 'title.ru': 'Всем' };
    expect([textFor(texts, 'title', 'ru'), textFor(texts, 'title', 'en')]).toEqual(['Всем', 'All']);
    expect(withoutEmpty({ accent: '#112233', title: '  ' })).toEqual({ accent: '#112233' });
  });
});

describe('callbacks', () => {
  const now = Date.parse('2026-01-01T10:00:00Z');
  const callback = (due_at: string, status: CallbackStatus = 'new') => ({
    ...{ id: 1, session_id: null, status, phone: '+70000000000', name: null, comment: null, preferred_at: null },
    ...{ due_at, assigned_user_id: null, result: null, created_at: due_at, updated_at: due_at },
  });
  it('are overdue from their time on, finished ones never', () => {
    expect(dueGroup(callback('2026-01-01T10:00:00Z'), now)).toBe('overdue');
    expect(dueGroup(callback('2026-01-09T10:00:00Z'), now)).toBe('later');
    expect(dueGroup(callback('2026-01-01T09:00:00Z', 'done'), now)).toBe('finished');
    expect(byDue(callback('2026-01-02T00:00:00Z'), callback('2026-01-01T00:00:00Z', 'done'))).toBeLessThan(0);
  });
  it('count at «Звонки» while they are new or overdue, each once', () => {
    const [past, future] = ['2026-01-01T10:00:00Z', '2026-01-09T10:00:00Z'];
    const open = [callback(past), callback(future), callback(past, 'assigned')];
    expect(callsToMake([...open, callback(future, 'calling'), callback(past, 'done')], now)).toBe(3);
    expect(callsToMake([], now)).toBe(0);
  });
  it('[CB5] offer the steps that the protocol has, and no other', () => {
    for (const status of callbackStatusSchema.options) {
      expect(nextSteps(status).toSorted(), status).toEqual(CALLBACK_STEPS[status].toSorted());
      expect(isOpen({ status }), status).toBe(isOpenCallback(status));
    }
  });
});

describe('addresses', () => {
  it('come back as they were written', () => {
    for (const hash of ['#/inbox/mine/12', '#/inbox/closed', '#/callbacks', '#/alerts', '#/replies', '#/setup']) {
      expect(routeHash(parseRoute(hash))).toBe(hash);
    }
    expect(parseRoute('#/inbox/<script>/1e3')).toEqual({ page: 'inbox', view: 'unassigned', sessionId: null });
  });
  it('of a site become its origin', () => {
    expect(originOf('https://shop.example/cart?x=1')).toBe('https://shop.example');
    expect(originOf('shop.example/cart')).toBe('https://shop.example');
    expect(['javascript:alert(1)', 'shop', ''].map(originOf)).toEqual([null, null, null]);
    const snippet = widgetSnippet('https://chat.example', { accent: '#112233', scheme: 'dark' });
    expect(snippet).toContain(
      'src="https://chat.example/widget/v1/loader.js" data-accent="#112233" data-scheme="dark">',
    );
  });
});

describe('a stopped send', () => {
  it('tells what was missed, and is a stop without details too', () => {
    const event = { type: 'chat.message', session_id: 1, seq: 7, data: {} };
    expect(missedOf({ last_seq: 7, events: [event, 'x', null] }, 5)).toEqual({ lastSeq: 7, events: [event] });
    expect(missedOf(undefined, 5)).toEqual({ lastSeq: 5, events: [] });
  });
});

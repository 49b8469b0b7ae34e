import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ChatWidget } from '../api.ts';
import { playQueue, type QueuedCall } from '../queue.ts';
import { createEvents } from './events.ts';
import { readOptions } from './options.ts';
import { launcherLabel } from './texts.ts';
import { textOn } from './theme.ts';

describe('the loader', () => {
  afterEach(() => vi.useRealTimers());

  it('names its button by what it does, and by what is unread', () => {
    expect(launcherLabel('ru', 'closed', '')).toBe('Открыть чат');
    expect(launcherLabel('ru', 'closed', '2 новых сообщения')).toBe('Открыть чат, 2 новых сообщения');
    expect(launcherLabel('en', 'open', '3 new messages')).toBe('Close chat');
  });

  it('gives its text the colour that reads better', () => {
    expect(textOn('#2f5d50')).toBe('#fff');
    expect(textOn('#ffd400')).toBe('#111');
  });

  it('reads the attributes of the script tag, and ignores unusable ones', () => {
    expect(readOptions({ offsetX: '8', offsetY: 'x', launcher: 'false', accent: '#112233' })).toEqual({
      offsetX: 8,
      launcher: false,
      theme: { accent: '#112233' },
    });
  });

  it('gives a late listener the last unread number', () => {
    const events = createEvents();
    const seen: number[] = [];
    events.emit('unread', { count: 3 });
    events.on('unread', ({ count }) => seen.push(count));
    events.emit('unread', { count: 4 });
    expect(seen).toEqual([3, 4]);
  });

  it('calls no listener that was removed', () => {
    const events = createEvents();
    const seen: number[] = [];
    events.on('unread', ({ count }) => seen.push(count))();
    events.emit('unread', { count: 5 });
    expect(seen).toEqual([]);
  });

  it('calls a listener of once with one number, even if that came before', () => {
    const events = createEvents();
    const seen: number[] = [];
    events.emit('unread', { count: 5 });
    events.once('unread', ({ count }) => seen.push(count));
    events.emit('unread', { count: 6 });
    expect(seen).toEqual([5]);
  });

  it('lets no listener that throws stop the others, and reports its error to the page', () => {
    vi.useFakeTimers();
    const events = createEvents();
    const seen: number[] = [];
    events.on('unread', () => {
      throw new Error('a listener of the site');
    });
    events.on('unread', ({ count }) => seen.push(count));
    events.emit('unread', { count: 7 });
    expect(seen).toEqual([7]);
    expect(() => vi.runAllTimers()).toThrow('a listener of the site');
  });

  it('runs a queue of calls in order and continues after one that fails', () => {
    const log: unknown[] = [];
    const widget = {
      open: () => {
        throw new Error('no');
      },
      send: (text: string) => {
        log.push(text);
        return Promise.resolve({ messageId: 2 });
      },
    } as Partial<ChatWidget> as ChatWidget;
    const call = (method: 'open' | 'send', ...args: unknown[]): QueuedCall => [
      method,
      args,
      () => log.push('resolved'),
      (error) => log.push(String(error)),
    ];
    playQueue([call('open'), call('send', 'a')], widget);
    expect(log).toEqual(['Error: no', 'a', 'resolved']);
  });
});

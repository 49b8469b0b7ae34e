import { lateness } from '../checker/delivery-invariants.ts';
import type { History } from '../checker/history.ts';
import type { Follower, Outage } from './follower.ts';

/** Nearest rank; NaN of nothing. */
export function percentile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)] ?? Number.NaN;
}

const ms = (value: number): string => (Number.isNaN(value) ? '–' : `${Math.round(value)} ms`);

export function spread(values: readonly number[]): string {
  return `p50 ${ms(percentile(values, 0.5))}, p99 ${ms(percentile(values, 0.99))}, longest ${ms(Math.max(...values))}`;
}

/** For each message: from its 2xx to the first customer's WebSocket that showed it; 0 where the frame came first. */
export function answeredToShown(history: History): number[] {
  const shown = new Map<string, number>();
  for (const { scope, deliveries } of history.observers) {
    if (scope.kind !== 'session') continue;
    for (const { sessionId, body, via, at } of deliveries) {
      const key = `${sessionId} ${body}`;
      if (via.startsWith('websocket')) shown.set(key, Math.min(at, shown.get(key) ?? Infinity));
    }
  }
  const first = new Map<string, number>();
  for (const { sessionId, body, endedAt, outcome } of history.attempts) {
    const key = `${sessionId} ${body}`;
    if (outcome.kind === 'ok' && !first.has(key)) first.set(key, endedAt);
  }
  return [...first].map(([key, at]) => Math.max(0, (shown.get(key) ?? Infinity) - at));
}

export interface Figures {
  readonly acknowledged: number;
  readonly attempts: number;
  readonly events: number;
  readonly deliveries: number;
  /** Commit → shown, for all observers together. */
  readonly shownAfterMs: readonly number[];
  /** Loss of a connection → the next channel.ready, native EventSources left out: their browser says when. */
  readonly backAfterMs: readonly number[];
  readonly backAfterMsNative: readonly number[];
  /** The longest time an acknowledged write took from its first attempt. */
  readonly slowestPostMs: number;
}

const length = (outage: Outage): number => outage.backAt - outage.lostAt;

export function figuresOf(history: History, followers: readonly Follower[]): Figures {
  const starts = new Map<string, number>();
  const done = new Map<string, number>();
  for (const { clientMessageId, startedAt, endedAt, outcome } of history.attempts) {
    if (!starts.has(clientMessageId)) starts.set(clientMessageId, startedAt);
    if (outcome.kind === 'ok' && !done.has(clientMessageId)) done.set(clientMessageId, endedAt);
  }
  const outagesOf = (native: boolean): number[] =>
    followers.filter(({ way }) => (way.kind === 'link') === native).flatMap(({ outages }) => outages.map(length));
  return {
    acknowledged: done.size,
    attempts: history.attempts.length,
    events: history.table.length,
    deliveries: history.observers.reduce((sum, observer) => sum + observer.deliveries.length, 0),
    shownAfterMs: history.observers.flatMap((observer) => lateness(observer, history).map(({ lateMs }) => lateMs)),
    backAfterMs: outagesOf(false),
    backAfterMsNative: outagesOf(true),
    slowestPostMs: Math.max(0, ...[...done].map(([id, at]) => at - (starts.get(id) ?? at))),
  };
}

export function describe(figures: Figures): string {
  const { acknowledged, attempts, events, deliveries, shownAfterMs, backAfterMs, backAfterMsNative } = figures;
  const lines = [
    `${acknowledged} messages acknowledged in ${attempts} posts, ${events} events, shown ${deliveries} times`,
    `commit → shown: ${spread(shownAfterMs)}; slowest post ${ms(figures.slowestPostMs)}`,
  ];
  if (backAfterMs.length > 0) {
    const p95 = ms(percentile(backAfterMs, 0.95));
    const p50 = ms(percentile(backAfterMs, 0.5));
    lines.push(
      `${backAfterMs.length} connections lost, back: p50 ${p50}, p95 ${p95}, longest ${ms(Math.max(...backAfterMs))}`,
    );
  }
  if (backAfterMsNative.length > 0) {
    lines.push(
      `native EventSources: ${backAfterMsNative.length} lost, back after at most ${ms(Math.max(...backAfterMsNative))}`,
    );
  }
  return lines.join('\n    ');
}

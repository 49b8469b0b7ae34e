import type { ChatWidget } from './api.ts';

export const METHODS = [
  'init',
  'identify',
  'logout',
  'open',
  'close',
  'toggle',
  'show',
  'hide',
  'send',
  'requestCallback',
  'mount',
  'setLocale',
  'setTheme',
  'on',
  'once',
  'off',
  'destroy',
] as const satisfies readonly (keyof ChatWidget)[];
export type Method = (typeof METHODS)[number];

/** What the stub in the page keeps of a call until the loader has come. */
export type QueuedCall = [
  method: Method,
  args: ArrayLike<unknown>,
  resolve: (value: unknown) => void,
  reject: (reason: unknown) => void,
];
export interface Queue {
  readonly q: QueuedCall[];
}

/** Plays what was called before, in order; a call that fails does not keep the next one from being made. */
export function playQueue(calls: readonly QueuedCall[], widget: ChatWidget): void {
  for (const [method, args, resolve, reject] of calls) {
    const run = widget[method] as ((...args: unknown[]) => unknown) | undefined;
    try {
      resolve(run?.apply(widget, args as unknown[]));
    } catch (error) {
      reject(error);
    }
  }
}

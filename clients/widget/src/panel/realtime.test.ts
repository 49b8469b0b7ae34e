import { expect, it } from 'vitest';
import { wantsChannel } from './realtime.ts';

/** A page with the loader's script tag, as far as the code reads it. */
const page = (realtime?: string) => ({
  querySelector: (selectors: string) =>
    realtime !== undefined && selectors === 'script[data-realtime]' ? { getAttribute: () => realtime } : null,
});

it('[BES28] data-realtime="off" opens no channel; the option of a script takes precedence', () => {
  expect(wantsChannel({}, page())).toBe(true);
  expect(wantsChannel({}, page('auto'))).toBe(true);
  expect(wantsChannel({}, page('off'))).toBe(false);
  expect(wantsChannel({ realtime: 'off' }, page())).toBe(false);
  expect(wantsChannel({ realtime: 'auto' }, page('off'))).toBe(true);
});

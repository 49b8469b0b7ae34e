/** Milliseconds after which a notice goes by itself: long enough to be read, and with a button to be reached. */
export const NOTICE_MS = { info: 4_000, error: 8_000, action: 12_000 } as const;

export interface NoticeAction {
  readonly label: string;
  readonly run: () => void;
}
export interface Notice {
  readonly id: number;
  readonly kind: 'info' | 'error';
  readonly text: string;
  readonly action?: NoticeAction | undefined;
}

/** Milliseconds after which a notice goes by itself: long enough to be read, and with a button to be reached. */
export const NOTICE_MS = { info: 4_000, error: 8_000, action: 12_000 } as const;

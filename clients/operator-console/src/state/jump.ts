import { createStore } from '../store.ts';

/** A message to show as soon as its chat is open: what a search has found. */
export const jump = createStore<{
  readonly target: { readonly sessionId: number; readonly messageId: number } | null;
}>({ target: null });

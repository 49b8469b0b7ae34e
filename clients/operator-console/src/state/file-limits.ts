import { ChatClientError, type ConfigResponse } from '@chat-realtime/client/staff';
import { createStore } from '../store.ts';

export interface FileLimits {
  readonly maxBytes: number;
  /** 0: this chat accepts no files. */
  readonly perMessage: number;
  /** For a file dialog; undefined if everything is accepted. */
  readonly accept: string | undefined;
}

/** The part read from the server. */
interface LimitsApi {
  config(): Promise<Pick<ConfigResponse, 'attachments'>>;
}

/** An administrator may change them meanwhile; the server has the last word. */
const MAX_AGE_MS = 60_000;
const store = createStore<FileLimits>({ maxBytes: 10 * 1024 * 1024, perMessage: 5, accept: undefined });
let readAt = Number.NEGATIVE_INFINITY;

export const fileLimits = { getState: () => store.getState(), subscribe: store.subscribe.bind(store) };

/** `again`: a refusal showed that something has changed. Without an answer the known limits remain. */
export async function readFileLimits(api: LimitsApi, again = false): Promise<void> {
  const now = performance.now();
  if (!again && now - readAt < MAX_AGE_MS) return;
  readAt = now;
  try {
    const { max_bytes, max_per_message, mime } = (await api.config()).attachments;
    const accept = mime.includes('application/octet-stream') ? undefined : mime.join(',');
    store.set(() => ({ maxBytes: max_bytes, perMessage: max_per_message, accept }));
  } catch (error) {
    if (!(error instanceof ChatClientError)) throw error;
    readAt = Number.NEGATIVE_INFINITY;
  }
}

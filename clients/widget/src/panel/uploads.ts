import type { Attachment, ChatClient, ConfigResponse } from '@chat-realtime/client';
import { type Cell, createCell } from './cell.ts';

export type Upload = { readonly key: number; readonly file: File } & (
  | { readonly status: 'uploading'; readonly fraction: number }
  | { readonly status: 'done'; readonly attachment: Attachment }
  /** `error` is said in words; `again`: trying again may help. */
  | { readonly status: 'failed'; readonly error: string; readonly again: boolean }
);
export type UploadRefusal =
  | { readonly why: 'too_large'; readonly name: string; readonly limit: number }
  | { readonly why: 'too_many'; readonly count: number }
  | { readonly why: 'bad_type'; readonly name: string };

export interface Uploads extends Cell<readonly Upload[]> {
  add(files: readonly File[]): void;
  retry(key: number): void;
  remove(key: number): void;
  /** Takes the uploads that are ready for a message and starts again. */
  take(): Attachment[];
  destroy(): void;
}

export interface UploadsOptions {
  readonly client: ChatClient;
  readonly limits: () => ConfigResponse['attachments'] | null;
  /** Files belong to a chat: it is begun here when there is none. */
  readonly prepare: () => Promise<unknown>;
  readonly refused: (refusal: UploadRefusal) => void;
  /** In words, to be shown with the file. */
  readonly explain: (error: unknown) => { readonly error: string; readonly again: boolean };
  /** Earlier messages about files are outdated. */
  readonly settled: () => void;
}

/** The types for a file dialog; undefined if everything is accepted, which greys out nothing. */
export function dialogTypes(mime: readonly string[] | undefined): string | undefined {
  return mime === undefined || mime.includes('application/octet-stream') ? undefined : mime.join(',');
}

/** Whether this chat accepts no files at all. */
export const takesNoFiles = (config: ConfigResponse | null): boolean => config?.attachments.max_per_message === 0;

/** Files of the message being written: judged before a byte is sent, each on its own way up. */
export function createUploads({ client, limits, prepare, refused, explain, settled }: UploadsOptions): Uploads {
  const cell = createCell<readonly Upload[]>([]);
  const running = new Map<number, AbortController>();
  let lastKey = 0;

  const put = (upload: Upload): void =>
    cell.set(cell.getState().map((other) => (other.key === upload.key ? upload : other)));
  const isThere = (key: number): boolean => cell.getState().some((upload) => upload.key === key);

  function acceptable(file: File): boolean {
    const limit = limits();
    if (limit === null) return true;
    if (file.size > limit.max_bytes) refused({ why: 'too_large', name: file.name, limit: limit.max_bytes });
    // The server examines the bytes; the browser's guess is used only if it is clearly something else.
    else if (
      dialogTypes(limit.mime) !== undefined &&
      file.type.startsWith('image/') &&
      !limit.mime.includes(file.type) &&
      !limit.mime.includes('image/*')
    )
      refused({ why: 'bad_type', name: file.name });
    else return true;
    return false;
  }

  async function run(key: number, file: File): Promise<void> {
    const ending = new AbortController();
    running.set(key, ending);
    put({ key, file, status: 'uploading', fraction: 0 });
    try {
      await prepare();
      const attachment = await client.upload(file, {
        signal: ending.signal,
        onProgress: (fraction) => isThere(key) && put({ key, file, status: 'uploading', fraction }),
      });
      put({ key, file, status: 'done', attachment });
    } catch (error) {
      if (ending.signal.aborted) return;
      put({ key, file, status: 'failed', ...explain(error) });
    } finally {
      running.delete(key);
    }
  }

  return {
    ...cell,
    add(files) {
      const most = limits()?.max_per_message ?? 5;
      settled();
      for (const file of files) {
        if (cell.getState().length >= most) return refused({ why: 'too_many', count: most });
        if (!acceptable(file)) continue;
        const key = (lastKey += 1);
        cell.set([...cell.getState(), { key, file, status: 'uploading', fraction: 0 }]);
        void run(key, file);
      }
    },
    retry(key) {
      const upload = cell.getState().find((other) => other.key === key);
      if (upload?.status === 'failed') void run(key, upload.file);
    },
    remove(key) {
      running.get(key)?.abort();
      settled();
      cell.set(cell.getState().filter((upload) => upload.key !== key));
    },
    take() {
      const ready = cell.getState().flatMap((upload) => (upload.status === 'done' ? [upload.attachment] : []));
      cell.set(cell.getState().filter((upload) => upload.status !== 'done'));
      return ready;
    },
    destroy() {
      for (const ending of running.values()) ending.abort();
      running.clear();
      cell.set([]);
    },
  };
}

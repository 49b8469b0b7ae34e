import { ChatClientError, type Attachment, type StaffApi } from '@chat-realtime/client/staff';
import { fileLimits, readFileLimits } from './file-limits.ts';
import { createStore } from '../store.ts';

export interface Upload {
  readonly key: string;
  readonly name: string;
  readonly progress: number;
  readonly state: 'uploading' | 'done' | 'failed';
  readonly attachment: Attachment | null;
}

export type UploadProblem = 'too_big' | 'refused' | 'failed' | 'too_many' | 'off';

/** `allowed`: the types a server accepts, if it narrows them. */
type OnProblem = (problem: UploadProblem, name: string, allowed: readonly string[]) => void;

/** By these the server says that files are taken otherwise than we knew. */
const POLICY: Readonly<Record<string, UploadProblem>> = {
  unsupported_media_type: 'refused',
  payload_too_large: 'too_big',
  attachments_off: 'off',
};

function allowedBy(details: unknown): string[] {
  const allowed: unknown = typeof details === 'object' && details !== null ? Reflect.get(details, 'allowed') : null;
  const types = Array.isArray(allowed) ? allowed.filter((type): type is string => typeof type === 'string') : [];
  return types.map((type) => type.replace(/\/\*$/, '').replace(/^.+\//, ''));
}

/** Files of one session's composer on their way to the server. */
export class Uploads {
  readonly #api: StaffApi;
  readonly #sessionId: number;
  readonly #onProblem: OnProblem;
  readonly #store = createStore<{ readonly list: readonly Upload[] }>({ list: [] });
  readonly #aborts = new Map<string, AbortController>();
  #last = 0;

  constructor(api: StaffApi, sessionId: number, onProblem: OnProblem) {
    this.#api = api;
    this.#sessionId = sessionId;
    this.#onProblem = onProblem;
  }

  getState = () => this.#store.getState();
  subscribe = (listener: () => void): (() => void) => this.#store.subscribe(listener);
  get busy(): boolean {
    return this.getState().list.some((upload) => upload.state === 'uploading');
  }
  get ready(): readonly Attachment[] {
    return this.getState().list.flatMap((upload) => upload.attachment ?? []);
  }

  add(files: Iterable<File>): void {
    const { maxBytes, perMessage } = fileLimits.getState();
    for (const file of files) {
      if (this.getState().list.length >= perMessage) {
        this.#onProblem(perMessage === 0 ? 'off' : 'too_many', file.name, []);
        return;
      }
      if (file.size > maxBytes) this.#onProblem('too_big', file.name, []);
      else void this.#upload(file);
    }
  }

  remove(key: string): void {
    this.#aborts.get(key)?.abort();
    this.#aborts.delete(key);
    this.#store.set(({ list }) => ({ list: list.filter((upload) => upload.key !== key) }));
  }

  clear(): void {
    for (const { key } of this.getState().list) this.remove(key);
  }

  /** What was sent and refused comes back as it was. */
  restore(attachments: readonly Attachment[]): void {
    const list = attachments.map((attachment) => ({
      key: attachment.id,
      name: attachment.name,
      progress: 1,
      state: 'done' as const,
      attachment,
    }));
    this.#store.set({ list });
  }

  async #upload(file: File): Promise<void> {
    this.#last += 1;
    const key = `upload-${this.#last}`;
    const abort = new AbortController();
    this.#aborts.set(key, abort);
    const upload: Upload = { key, name: file.name, progress: 0, state: 'uploading', attachment: null };
    this.#store.set(({ list }) => ({ list: [...list, upload] }));
    try {
      const onProgress = (progress: number): void => this.#change(key, { progress });
      const attachment = await this.#api.upload(this.#sessionId, file, { onProgress, signal: abort.signal });
      this.#change(key, { state: 'done', progress: 1, attachment });
    } catch (error) {
      if (abort.signal.aborted) return;
      this.remove(key);
      const known = error instanceof ChatClientError ? error : null;
      const problem = POLICY[known?.code ?? ''];
      if (problem !== undefined) await readFileLimits(this.#api, true);
      this.#onProblem(problem ?? 'failed', file.name, allowedBy(known?.details));
    }
  }

  #change(key: string, change: Partial<Upload>): void {
    this.#store.set(({ list }) => ({
      list: list.map((upload) => (upload.key === key ? { ...upload, ...change } : upload)),
    }));
  }
}

import type { UploadFile, UploadOptions } from '../api/backend.ts';
import type { Environment } from '../api/environment.ts';
import type { Attachment } from '../api/protocol.ts';
import { call } from './http.ts';
import { uploadByXhr } from './xhr.ts';

/** To a site's own REST: a form, as its pages send. */
export async function uploadForm(
  environment: Environment,
  url: string,
  headers: Readonly<Record<string, string>>,
  field: string,
  file: UploadFile,
  { onProgress, signal }: UploadOptions = {},
): Promise<unknown> {
  const form = new FormData();
  form.set(
    field,
    'bytes' in file && file.bytes instanceof Uint8Array ? new Blob([file.bytes as BlobPart]) : (file as Blob),
    file.name ?? 'file',
  );
  const web = watching(environment, form, onProgress);
  const answer = await call<unknown>(web, 'POST', url, { body: form, headers, signal, timeoutMs: 0 });
  onProgress?.(1);
  return answer;
}

/** Only XMLHttpRequest reports the progress. */
function watching(environment: Environment, body: Blob | FormData | null, onProgress: UploadOptions['onProgress']) {
  if (!body || !onProgress || !globalThis.XMLHttpRequest) return environment;
  return {
    ...environment,
    fetch(target, init) {
      const headers = init?.headers as Record<string, string>;
      return uploadByXhr(String(target), headers, body, onProgress, init?.signal ?? undefined);
    },
  } satisfies Environment;
}

/** Loaded when somebody uploads. */
export async function upload(
  environment: Environment,
  url: string,
  token: string,
  file: UploadFile,
  { onProgress, signal }: UploadOptions = {},
): Promise<Attachment> {
  const headers = {
    'content-type': ('type' in file && file.type) || 'application/octet-stream',
    // A header can contain no other letters.
    'x-file-name': encodeURIComponent(file.name ?? 'file'),
  };
  const web = watching(environment, file instanceof Blob ? file : null, onProgress);
  const body = ('bytes' in file && file.bytes instanceof Uint8Array ? file.bytes : file) as BodyInit;
  const attachment = await call<Attachment>(web, 'POST', url, { token, body, headers, signal, timeoutMs: 0 });
  onProgress?.(1);
  return attachment;
}

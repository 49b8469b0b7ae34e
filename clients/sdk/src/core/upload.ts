import type { UploadFile, UploadOptions } from '../api/backend.ts';
import type { Environment } from '../api/environment.ts';
import type { Attachment } from '../api/protocol.ts';
import { call } from './http.ts';
import { uploadByXhr } from './xhr.ts';

/** Loaded when somebody uploads. */
export async function upload(
  environment: Environment,
  url: string,
  token: string,
  file: UploadFile,
  { onProgress, signal }: UploadOptions = {},
): Promise<Attachment> {
  const watched = onProgress && globalThis.XMLHttpRequest && file instanceof Blob ? file : null;
  const headers = {
    'content-type': ('type' in file && file.type) || 'application/octet-stream',
    // A header holds no other letters.
    'x-file-name': encodeURIComponent(file.name ?? 'file'),
  };
  const web: Environment =
    watched && onProgress
      ? {
          ...environment,
          fetch(target, init) {
            return uploadByXhr(
              String(target),
              init?.headers as Record<string, string>,
              watched,
              onProgress,
              init?.signal ?? undefined,
            );
          },
        }
      : environment;
  const body = ('bytes' in file && file.bytes instanceof Uint8Array ? file.bytes : file) as BodyInit;
  const attachment = await call<Attachment>(web, 'POST', url, { token, body, headers, signal, timeoutMs: 0 });
  onProgress?.(1);
  return attachment;
}

import type { UploadFile, UploadOptions } from '../api/backend.ts';
import type { Environment } from '../api/environment.ts';
import type { Attachment } from '../api/protocol.ts';
import { ChatClientError, type ChatClientErrorCode } from '../errors.ts';
import { call } from './http.ts';

/** The name travels percent-encoded, since a header holds no other letters. */
function headersOf(file: UploadFile): Record<string, string> {
  const type = 'type' in file ? file.type : '';
  return {
    'content-type': type || 'application/octet-stream',
    'x-file-name': encodeURIComponent(file.name ?? 'file'),
  };
}

/** Only XMLHttpRequest tells how far an upload is; fetch does the same without telling. */
function uploadByXhr(url: string, token: string, file: Blob, options: UploadOptions): Promise<Attachment> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const abort = (): void => xhr.abort();
    const fail = (code: ChatClientErrorCode): void =>
      reject(new ChatClientError(code, undefined, { status: xhr.status }));
    xhr.open('POST', url);
    for (const [name, value] of Object.entries(headersOf(file))) xhr.setRequestHeader(name, value);
    xhr.setRequestHeader('authorization', `Bearer ${token}`);
    xhr.upload.onprogress = ({ loaded, total }) => options.onProgress?.(total > 0 ? loaded / total : 0);
    xhr.onerror = () => fail('network');
    xhr.onabort = () => fail('aborted');
    xhr.onloadend = () => options.signal?.removeEventListener('abort', abort);
    xhr.onload = () => {
      let body: (Attachment & { error?: { code: ChatClientErrorCode } }) | null = null;
      try {
        body = JSON.parse(xhr.responseText) as Attachment;
      } catch {
        // A proxy's page; the status says enough.
      }
      if (xhr.status < 300 && body) resolve(body);
      else fail(body?.error?.code ?? (xhr.status === 413 ? 'payload_too_large' : 'internal_error'));
    };
    options.signal?.addEventListener('abort', abort);
    if (options.signal?.aborted) fail('aborted');
    else xhr.send(file);
  });
}

export async function upload(
  environment: Environment,
  url: string,
  token: string,
  file: UploadFile,
  options: UploadOptions = {},
): Promise<Attachment> {
  if (options.onProgress && globalThis.XMLHttpRequest && file instanceof Blob)
    return uploadByXhr(url, token, file, options);
  const body = ('bytes' in file && file.bytes instanceof Uint8Array ? file.bytes : file) as BodyInit;
  const attachment = await call<Attachment>(environment, 'POST', url, {
    token,
    body,
    headers: headersOf(file),
    signal: options.signal,
    timeoutMs: 0,
  });
  options.onProgress?.(1);
  return attachment;
}

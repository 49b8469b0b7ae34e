/** Only XMLHttpRequest reports the progress of an upload. */
export function uploadByXhr(
  url: string,
  headers: Readonly<Record<string, string>>,
  file: Blob | FormData,
  onProgress: (fraction: number) => void,
  signal: AbortSignal | undefined,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const abort = (): void => xhr.abort();
    xhr.open('POST', url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    xhr.onerror = xhr.onabort = () => reject(new TypeError('upload ended'));
    xhr.onloadend = () => signal?.removeEventListener('abort', abort);
    xhr.onload = () => {
      const retryAfter = xhr.getResponseHeader('retry-after');
      const { status, responseText } = xhr;
      resolve(
        new Response(responseText, { status, headers: retryAfter === null ? {} : { 'retry-after': retryAfter } }),
      );
    };
    signal?.addEventListener('abort', abort);
    xhr.send(file);
  });
}

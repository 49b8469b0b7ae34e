import { request as httpRequest } from '../core/http.ts';
import { asError } from '../errors.ts';
import { closeCodeOf } from './http-close.ts';
import type { TransportOpener } from '../api/transport.ts';
import { parseFrame } from './parse-frame.ts';

/** Lines of an event stream. Only `data:` and comments matter: frames carry everything else themselves. */
async function readLines(body: ReadableStream<Uint8Array>, line: (text: string) => void): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) line(text.replace(/\r$/, ''));
  }
}

/** By `fetch`, not EventSource: the token stays in a header, comments are heard, and Node has it too. */
export const openSse: TransportOpener = (environment, { target, token, cursor }, replaces, handlers) => {
  const ending = new AbortController();
  let code = 1006;
  const query = { ...target.query(), [target.cursorName]: cursor(), replaces };
  const run = async (response: Response): Promise<void> => {
    if (!response.body) return;
    await readLines(response.body, (text) => {
      if (ending.signal.aborted) return;
      const frame = text.startsWith('data:') ? parseFrame(text.slice(5)) : null;
      if (frame?.type === 'channel.closed') code = (frame.data as { code: number }).code;
      else if (frame) handlers.frame(frame);
      else handlers.alive();
    });
  };
  const options = { token: token(), query, signal: ending.signal, timeoutMs: 0 };
  httpRequest(environment, 'GET', `${target.base}/channel/sse`, options, run).then(
    () => ending.signal.aborted || handlers.closed(code),
    (error: unknown) =>
      ending.signal.aborted || handlers.closed(code === 1006 ? closeCodeOf(error) : code, asError(error).retryAfterMs),
  );
  return { send: () => false, close: () => ending.abort() };
};

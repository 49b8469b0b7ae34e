import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';

export interface ApiFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A call's parameters, as JSON or as a form with files. */
export interface ApiCall {
  readonly method: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly files: ReadonlyMap<string, ApiFile>;
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(request, 'end');
  return Buffer.concat(chunks);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

export async function readCall(request: IncomingMessage, method: string): Promise<ApiCall> {
  const body = await bytesOf(request);
  const type = request.headers['content-type'] ?? '';
  const values: Record<string, unknown> = {};
  const files = new Map<string, ApiFile>();
  const boundary = /^multipart\/form-data; ?boundary="?([^";]+)/.exec(type)?.[1];
  if (boundary !== undefined) {
    for (const { name, fileName, bytes } of partsOf(body, boundary)) {
      if (fileName === undefined) values[name] = parsed(bytes.toString('utf8'));
      else files.set(name, { name: fileName, bytes: new Uint8Array(bytes) });
    }
  } else if (body.length > 0) Object.assign(values, parsed(body.toString('utf8')));
  return { method, values, files };
}

interface Part {
  readonly name: string;
  readonly fileName: string | undefined;
  readonly bytes: Buffer;
}

/** By hand: the parser of Node refuses the spelling of headers that the bot library has, which Telegram takes. */
function partsOf(body: Buffer, boundary: string): Part[] {
  const parts: Part[] = [];
  const mark = Buffer.from(`--${boundary}`);
  for (let at = body.indexOf(mark); at >= 0; ) {
    const start = at + mark.length + 2;
    const end = body.indexOf(mark, start);
    if (end < 0) break;
    const headEnd = body.indexOf('\r\n\r\n', start);
    const head = body.subarray(start, headEnd).toString('utf8');
    const name = /[; ]name="([^"]*)"/i.exec(head)?.[1];
    if (name === undefined) throw new Error('a part of the form has no name');
    const fileName = /filename="?([^"\r\n;]*)/i.exec(head)?.[1];
    parts.push({ name, fileName, bytes: body.subarray(headEnd + 4, end - 2) });
    at = end;
  }
  return parts;
}

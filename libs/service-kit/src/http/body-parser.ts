import type { IncomingMessage } from 'node:http';
import { ChatError } from '@chat-realtime/protocol';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** A JSON body is small: a client that takes longer holds a connection on purpose. */
const BODY_DEADLINE_MS = 15_000;
const LINGER_MS = 1_000;
const JSON_TYPE = /^application\/(?:json|[a-z0-9!#$&^_.-]+\+json)\s*(?:;|$)/i;

/** The name itself, or any escape that could spell a letter of it; only such bodies pay for the look at each key. */
const MAY_NAME_PROTOTYPE = /__proto__|\\u00[567]/i;

/** Replaces the framework's parsers: JSON in strict UTF-8, the limit also for chunked bodies, raw where a route says so. */
export function installBodyParser(server: FastifyInstance, limit: number): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', async (request: FastifyRequest, payload: IncomingMessage) => {
    if (request.routeOptions.config.rawBody === true) return payload;
    if (!JSON_TYPE.test(request.headers['content-type'] ?? '')) {
      throw new ChatError('unsupported_media_type', 'the body must be application/json');
    }
    const text = await readText(payload, limit);
    return text === '' ? undefined : parseJson(text);
  });
}

/** A key that would reach a prototype when the object is copied is not data. */
function parseJson(text: string): unknown {
  try {
    if (!MAY_NAME_PROTOTYPE.test(text)) return JSON.parse(text);
    return JSON.parse(text, (key, value: unknown) => {
      if (key === '__proto__') throw malformed('not plain JSON');
      return value;
    });
  } catch (error) {
    throw error instanceof ChatError ? error : malformed('not JSON');
  }
}

function malformed(what: string): ChatError {
  return new ChatError('malformed_request', `the body is ${what}`);
}

async function readText(payload: IncomingMessage, limit: number): Promise<string> {
  if (Number(payload.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(malformed('incomplete'));
      // The response is sent first. A client that still sends slowly then loses the connection.
      setTimeout(() => payload.destroy(), LINGER_MS).unref();
    }, BODY_DEADLINE_MS);
  });
  try {
    return decode(await Promise.race([collect(payload, limit), deadline]));
  } catch (error) {
    // A connection that breaks off in the middle is the client's doing.
    throw error instanceof ChatError ? error : malformed('incomplete');
  } finally {
    clearTimeout(timer);
  }
}

function tooLarge(limit: number): ChatError {
  return new ChatError('payload_too_large', `the body may have ${limit} bytes`);
}

async function collect(payload: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of payload.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(chunk)) throw malformed('not binary');
    size += chunk.length;
    if (size > limit) throw tooLarge(limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw malformed('not UTF-8');
  }
}

import type { IncomingMessage } from 'node:http';
import { ChatError } from '@chat-realtime/protocol';
import type { FastifyInstance } from 'fastify';

export const DEFAULT_BODY_LIMIT = 262_144;
/** A JSON body is small: whoever takes longer holds a connection on purpose. */
const BODY_DEADLINE_MS = 15_000;
const JSON_TYPE = /^application\/(?:json|[a-z0-9!#$&^_.-]+\+json)\s*(?:;|$)/i;

/** Replaces the framework's parsers: JSON in strict UTF-8, the limit also for chunked bodies, raw where a route says so. */
export function installBodyParser(server: FastifyInstance, limit: number): void {
  const parseJson = server.getDefaultJsonParser('error', 'ignore');
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (request, payload, done) => {
    if (request.routeOptions.config.rawBody === true) {
      done(null, payload);
      return;
    }
    if (!JSON_TYPE.test(request.headers['content-type'] ?? '')) {
      done(new ChatError('unsupported_media_type', 'the body must be application/json'));
      return;
    }
    readText(payload, limit).then(
      (text) => {
        if (text === '') done(null, undefined);
        else parseJson(request, text, (error, value) => done(error === null ? null : malformed('not JSON'), value));
      },
      (error: Error) => done(error),
    );
  });
}

function malformed(what: string): ChatError {
  return new ChatError('malformed_request', `the body is ${what}`);
}

async function readText(payload: IncomingMessage, limit: number): Promise<string> {
  const tooLarge = (): ChatError => new ChatError('payload_too_large', `the body may have ${limit} bytes`);
  if (Number(payload.headers['content-length'] ?? 0) > limit) throw tooLarge();
  const deadline = setTimeout(() => payload.destroy(malformed('incomplete')), BODY_DEADLINE_MS);
  try {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of payload.iterator({ destroyOnReturn: false })) {
      if (!Buffer.isBuffer(chunk)) throw malformed('not binary');
      size += chunk.length;
      if (size > limit) throw tooLarge();
      chunks.push(chunk);
    }
    return decode(Buffer.concat(chunks));
  } catch (error) {
    // A connection that breaks off in the middle is the client's doing.
    throw error instanceof ChatError ? error : malformed('incomplete');
  } finally {
    clearTimeout(deadline);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw malformed('not UTF-8');
  }
}

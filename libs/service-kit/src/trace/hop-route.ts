import { createServer, type Server } from 'node:http';
import { rm } from 'node:fs/promises';
import { type hopsResponseSchema, hopsQuerySchema } from '@chat-realtime/protocol';
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { routeAccess } from '../http/access.ts';
import { validate } from '../validation.ts';
import { type HopJournal, renderHop } from './hop-journal.ts';

type HopsResponse = z.infer<typeof hopsResponseSchema>;

export const HOPS_PATH = '/internal/hops';

function answer(journal: HopJournal, where: string, query: unknown): HopsResponse {
  const { session_id, seq } = validate(hopsQuerySchema, query);
  return {
    where,
    hops: journal.find(session_id, seq).map((entry) => renderHop(entry, where)),
  };
}

/** The hops of an event that this process remembers, for the process that assembles the trace. */
export function installHopRoute(server: FastifyInstance, journal: HopJournal, where: string): void {
  server.get(HOPS_PATH, { config: routeAccess({ kind: 'internal' }) }, async (request) =>
    answer(journal, where, request.query),
  );
}

/** The same for a chat in one process, which mounts no internal path: on a socket that only its own user can open. */
export async function listenForHops(path: string, journal: HopJournal, where: string): Promise<Server> {
  await rm(path, { force: true });
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://socket');
    const found = url.pathname === HOPS_PATH && request.method === 'GET';
    try {
      const body = found ? answer(journal, where, Object.fromEntries(url.searchParams)) : { error: 'not found' };
      response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    } catch {
      response.writeHead(422).end();
    }
  });
  const before = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  } finally {
    process.umask(before);
  }
  return server;
}

import { Server } from 'node:http';
import type { INestApplication } from '@nestjs/common';

const DEFAULT_GRACE_MS = 1_000;

/**
 * Closes an application in bounded time. The server waits for every connection, and a peer that has connected and sent
 * nothing counts as neither idle nor overdue once the server is closing: it would keep the process for ever.
 */
export async function closeHttpApp(app: INestApplication, graceMs: number = DEFAULT_GRACE_MS): Promise<void> {
  const server: unknown = app.getHttpServer();
  const timer = setTimeout(() => {
    if (server instanceof Server) server.closeAllConnections();
  }, graceMs);
  try {
    await app.close();
  } finally {
    clearTimeout(timer);
  }
}

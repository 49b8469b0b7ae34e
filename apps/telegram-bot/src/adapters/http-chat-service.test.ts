import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createHttpChatService } from './http-chat-service.ts';

let server: Server;
let status = 200;
beforeAll(async () => {
  server = createServer((_request, response) => {
    response.writeHead(status, { 'content-type': 'text/html' }).end('<h1>no</h1>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => server.close());

it("[TG21] a proxy's answer in place of an unavailable chat-service is not about the update: it waits", async () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const chatService = createHttpChatService({ url, apiKey: 'key' });
  const codes: unknown[] = [];
  for (status of [500, 502, 503, 504])
    await chatService
      .introduce({ bot_id: 7, username: 'shop_bot' })
      .catch((error: { code?: unknown }) => codes.push(error.code));
  expect(codes).toEqual(['internal_error', 'unavailable', 'unavailable', 'unavailable']);
});

import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { siteBackend } from './site-backend.ts';

/** Over a real connection: form and boundary are the browser's own. */
let server: Server;
let origin: string;
const took: { url: string | undefined; files: [string, string, string][] }[] = [];
/** Parsed like on any server: by the boundary in its header. */
async function receive(request: IncomingMessage): Promise<FormData> {
  const headers = { 'content-type': request.headers['content-type'] ?? '' };
  return new Response(new Uint8Array(await buffer(request)), { headers }).formData();
}
beforeAll(async () => {
  server = createServer((request, response) => {
    receive(request)
      .then(async (form) => {
        const files: [string, string, string][] = [];
        for (const [field, value] of form)
          if (value instanceof File) files.push([field, value.name, await value.text()]);
        took.push({ url: request.url, files });
        response.writeHead(201, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ data: { uid: 'f-1', path: '/files/f-1.pdf', title: files[0]?.[1] } }));
      })
      .catch(() => response.writeHead(415).end('no form'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

it('[BES31] a file is sent to a real server as a form with one field, and is named as the site names it', async () => {
  const backend = siteBackend({
    baseUrl: origin,
    site: {
      baseUrl: origin,
      paths: { upload: '/api/chats/{id}/files' },
      fields: { uploaded: 'data', file: { id: 'uid', url: 'path', name: 'title' }, request: { file: 'upload' } },
    },
  });
  const file = new File(['%PDF-1.7'], 'Счёт №5.pdf', { type: 'application/pdf' });
  const kept = await backend.upload({ sessionId: 7, token: 'x' }, file);
  expect(took).toEqual([{ url: '/api/chats/7/files', files: [['upload', 'Счёт №5.pdf', '%PDF-1.7']] }]);
  expect(kept).toMatchObject({ id: 'f-1', name: 'Счёт №5.pdf', url: `${origin}/files/f-1.pdf` });
});

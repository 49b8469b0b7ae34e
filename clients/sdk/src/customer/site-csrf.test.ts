import { afterEach, expect, it, vi } from 'vitest';
import { createEnvironment, memoryStorage } from '../core/environment.ts';
import { siteBackend } from './site-backend.ts';

afterEach(() => vi.unstubAllGlobals());

/** The parts of a page that are read. */
function pageWith(cookie: string, metas: Readonly<Record<string, string>> = {}): void {
  const all = Object.entries(metas).map(([name, content]) => ({
    getAttribute: (attribute: string) => (attribute === 'name' ? name : content),
  }));
  vi.stubGlobal('document', { cookie, querySelectorAll: () => all });
}

async function headersOf(csrf: { cookie?: string; meta?: string; header: string }) {
  const sent: Record<string, Record<string, string>> = {};
  const environment = createEnvironment({
    storage: memoryStorage(),
    fetch: (_input, init) => {
      sent[init?.method ?? ''] = init?.headers as Record<string, string>;
      return Promise.resolve(Response.json({ messages: [], id: 1, body: 'x', created_at: '2026-01-01 00:00:00' }));
    },
  });
  const backend = siteBackend({ baseUrl: 'http://s', site: { baseUrl: 'http://s', csrf }, environment });
  await backend.send({ sessionId: 7, token: 't' }, { body: 'x', client_message_id: 'one' });
  return sent;
}

it("[BES38] sends the site's token from a cookie with a write", async () => {
  pageWith('a=1; XSRF-TOKEN=eyJ%3D; XSRF-TOKEN2=no');
  const sent = await headersOf({ cookie: 'XSRF-TOKEN', header: 'X-XSRF-TOKEN' });
  expect(sent['POST']).toMatchObject({ 'X-XSRF-TOKEN': 'eyJ=' });
  expect(sent['GET']).not.toHaveProperty('X-XSRF-TOKEN');
});

it("[BES38] sends the site's token from the page", async () => {
  pageWith('_csrf=hidden', { description: 'Лампы', 'csrf-token': 'abc' });
  const sent = await headersOf({ meta: 'csrf-token', header: 'X-CSRF-Token' });
  expect(sent['POST']).toMatchObject({ 'X-CSRF-Token': 'abc' });
});

it('[BES38] sends none if there is none', async () => {
  pageWith('', {});
  expect((await headersOf({ cookie: 'c', meta: 'm', header: 'X-CSRF-Token' }))['POST']).not.toHaveProperty(
    'X-CSRF-Token',
  );
});

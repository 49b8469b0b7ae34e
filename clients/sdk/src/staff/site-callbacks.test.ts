import { expect, it } from 'vitest';
import type { SiteStaff } from '../api/site-staff.ts';
import { createEnvironment, memoryStorage } from '../core/environment.ts';
import { createSiteStaff } from './site-staff.ts';

/** A PHP site with a table of callback requests. */
function besideSite(site: SiteStaff, { keepsDone = true } = {}) {
  const rows: Record<string, unknown>[] = [
    { id: '5', chat: '7', state: 'waiting', tel: '+7 900 000-00-00', who: 'Вера', asked_at: '2026-03-01 11:00:00' },
    { id: 6, chat: null, state: 'taken', tel: '+7 900 000-00-01', manager: 3, asked_at: '2026-03-01T08:30:00Z' },
    // Nobody could call this number.
    { id: 7, state: 'waiting', tel: '', asked_at: '2026-03-01 11:00:00' },
  ];
  const asked: [string, unknown][] = [];
  let isSignedOut = false;
  const respond = (url: string, method: string): Response => {
    if (isSignedOut) {
      const page = new Response('<form>');
      Object.defineProperty(page, 'redirected', { value: true });
      return page;
    }
    const step = /^\/calls\/(\d+)\/(\w+)$/.exec(url);
    if (method === 'POST' && step) {
      const place = rows.findIndex(({ id }) => String(id) === step[1]);
      if (keepsDone) rows[place] = { ...rows[place], state: step[2] };
      else rows.splice(place, 1);
      return new Response('<p>done</p>');
    }
    return Response.json({ data: rows });
  };
  const environment = createEnvironment({
    storage: memoryStorage(),
    fetch: async (input, init) => {
      const { method = 'GET', body } = init ?? {};
      expect(init?.credentials).toBe('same-origin');
      asked.push([`${method} ${String(input)}`, typeof body === 'string' ? JSON.parse(body) : undefined]);
      return respond(String(input), method);
    },
  });
  const { calls } = createSiteStaff(environment, site, () => Promise.resolve([]));
  if (!calls) throw new Error('the site tells of no callback requests');
  return { calls, asked, signOut: () => (isSignedOut = true) };
}

const SITE: SiteStaff = {
  timeZone: 'Europe/Moscow',
  callbacks: {
    list: '/calls?open=1',
    steps: { assigned: '/calls/{callback}/taken', done: '/calls/{callback}/made' },
    statuses: { waiting: 'new', taken: 'assigned', made: 'done' },
    fields: {
      items: 'data',
      session_id: 'chat',
      status: 'state',
      phone: 'tel',
      name: 'who',
      assigned_user_id: 'manager',
      created_at: 'asked_at',
    },
  },
};

it('[BES41] lists the callback requests of the site, with its names, texts and time zone', async () => {
  const { calls, asked } = besideSite(SITE);
  expect(await calls.list()).toMatchObject([
    {
      ...{ id: 5, session_id: 7, status: 'new', phone: '+7 900 000-00-00', name: 'Вера', assigned_user_id: null },
      ...{ created_at: '2026-03-01T08:00:00.000Z', due_at: '2026-03-01T10:00:00.000Z', comment: null },
    },
    { id: 6, session_id: null, status: 'assigned', assigned_user_id: '3', created_at: '2026-03-01T08:30:00.000Z' },
  ]);
  expect(asked).toEqual([['GET /calls?open=1', undefined]]);
});

it('[BES41] takes and completes a request at the site, and shows the state the site returns', async () => {
  const { calls, asked } = besideSite({ ...SITE, request: { user_id: 'manager_id' } });
  await calls.list();
  expect(await calls.update(5, { status: 'assigned', assigned_user_id: '3' })).toMatchObject({
    id: 5,
    status: 'assigned',
  });
  expect(await calls.update(5, { status: 'done' })).toMatchObject({ id: 5, status: 'done' });
  expect(asked.filter(([what]) => what.startsWith('POST'))).toEqual([
    ['POST /calls/5/taken', { manager_id: '3' }],
    ['POST /calls/5/made', {}],
  ]);
});

it('[BES41] treats a request as over if the site no longer lists it', async () => {
  const { calls } = besideSite(SITE, { keepsDone: false });
  await calls.list();
  expect(await calls.update(5, { status: 'done' })).toMatchObject({ id: 5, status: 'done', phone: '+7 900 000-00-00' });
});

it('[BES41] refuses a step that has no path at the site, without a request', async () => {
  const { calls, asked } = besideSite(SITE);
  await calls.list();
  await expect(calls.update(5, { status: 'cancelled' })).rejects.toMatchObject({ code: 'site_owned' });
  await expect(calls.update(99, { status: 'done' })).rejects.toMatchObject({ code: 'site_owned' });
  expect(asked).toHaveLength(1);
});

it('[BES41] does not treat a sign-in page as a completed step', async () => {
  const { calls, signOut } = besideSite(SITE);
  await calls.list();
  signOut();
  await expect(calls.update(5, { status: 'done' })).rejects.toMatchObject({ code: 'unconfirmed' });
  await expect(calls.list()).rejects.toMatchObject({ code: 'invalid_response' });
});

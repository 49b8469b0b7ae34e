import { traceResponseSchema } from '@chat-realtime/protocol';
import { until } from '@chat-realtime/testkit';
import { expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';

const chat = await useChat('main');
const [anna, admin] = [await chat.staff('anna'), await chat.staff('admin')];

test('[TRC1] [TRC2] an admin sees every step of a message, from the commit to who read it', async () => {
  const customer = await chat.customer();
  const channel = await chat.channel(customer);
  const desk = await chat.staffChannel(anna);
  const said = await customer.post('where are you going?');
  const isIt = (frame: { data: Record<string, unknown> }): boolean => frame.data['id'] === said.id;
  const shown = await channel.waitFor(isIt, { label: 'the message' });
  await desk.waitFor(isIt, { label: 'the message at the desk' });
  await anna.request('POST', `${customer.path}/assign`, { json: {} });
  await anna.request('POST', `${customer.path}/read`, { json: { last_id: said.id } });

  const path = `${customer.path}/trace`;
  const read = async (query: string) => (await admin.request('GET', `${path}?${query}`)).as(traceResponseSchema);
  const found = await until(
    async () => {
      const answer = await read(`message_id=${said.id}`);
      const to = answer.hops.filter(({ hop }) => hop === 'written').map((hop) => hop.to);
      return to.includes('customer') && to.includes('staff') ? answer : undefined;
    },
    { what: 'the way to both sides' },
  );
  expect(found).toMatchObject({ session_id: customer.sessionId, seq: shown.seq, type: 'chat.message', silent: [] });
  const kinds = found.hops.map(({ hop }) => hop);
  for (const kind of ['stored', 'relayed', 'dispatched', 'published', 'written', 'read'] as const)
    expect(kinds).toContain(kind);
  const first = (kind: string): number => kinds.findIndex((known) => known === kind);
  expect(first('stored')).toBe(0);
  expect(first('written')).toBeGreaterThan(first('dispatched'));
  const written = found.hops.find(({ hop, to }) => hop === 'written' && to === 'customer');
  expect(written).toMatchObject({ sockets: 1, connections: [expect.any(String)] });
  expect(found.hops.find(({ hop }) => hop === 'read')?.to).toMatch(/^staff:/);
  // By its number it is the same.
  expect((await read(`seq=${shown.seq}`)).hops.length).toBeGreaterThanOrEqual(found.hops.length);
  expect(JSON.stringify(found)).not.toContain('where are you going');
});

test('[TRC1] only an admin may query it, and an unknown event is 404', async () => {
  const customer = await chat.customer();
  expectError(await anna.request('GET', `${customer.path}/trace?seq=1`), 'forbidden');
  expectError(await customer.request('GET', '/trace?seq=1'), 'bad_token');
  expectError(await admin.request('GET', `${customer.path}/trace?seq=999`), 'not_found');
  expectError(await admin.request('GET', `${customer.path}/trace`), 'validation_failed');
  expectError(await admin.request('GET', `${customer.path}/trace?seq=1&message_id=1`), 'validation_failed');
  expectError(await admin.request('GET', `/chat/session/999999999/trace?seq=1`), 'session_not_found');
});

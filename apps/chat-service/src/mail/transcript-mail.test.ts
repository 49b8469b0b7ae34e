import { createSessionResponseSchema } from '@chat-realtime/protocol';
import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatUnderTest } from '../../test/chat-under-test.ts';
import { Transcripts } from './transcript.ts';

/** Requests and the queue: nothing is sent here. */
let chat: ChatUnderTest;
let anna: string;
beforeAll(async () => {
  chat = await ChatUnderTest.start({
    SMTP_URL: 'smtp://127.0.0.1:9',
    MAIL_FROM: 'Shop <support@shop.example>',
    PUBLIC_URL: 'https://chat.shop.example',
  });
  anna = await chat.staff('anna');
});
afterAll(() => chat.stop());

let network = 0;
/** A person with their own network. */
const begin = async (ip = `198.51.${(network += 1)}.7`) => {
  const { session, token } = (await chat.call('POST', '/chat/session', { body: {}, ip })).as(
    createSessionResponseSchema,
  );
  const ask = (body: object, as: string | undefined = token, from = ip) =>
    chat.call('POST', `/chat/session/${session.id}/transcript`, { token: as, body, ip: from });
  return { id: session.id, token, ip, ask };
};
const queued = async (address: string) =>
  chat.database.kysely
    .selectFrom('mail')
    .select(['kind', 'session_id', 'address'])
    .where('address', '=', address)
    .execute();

describe('a transcript by mail', () => {
  it("[MAIL2] is queued for the given address, at the request of the chat's customer or of staff", async () => {
    const one = await begin();
    const answer = await one.ask({ email: 'Olga@Mail.example' });
    expect([answer.status, JSON.parse(answer.text)]).toEqual([202, { email: 'Olga@Mail.example', queued: true }]);
    expect(await queued('olga@mail.example')).toEqual([
      { kind: 'transcript', session_id: one.id, address: 'olga@mail.example' },
    ]);
    expect((await one.ask({ email: 'petr@mail.example' }, anna)).status).toBe(202);
    expect(await queued('petr@mail.example')).toHaveLength(1);
  });

  it('[MAIL2] may be requested by a customer three times an hour per chat and per network', async () => {
    const one = await begin();
    for (const n of [1, 2, 3]) expect((await one.ask({ email: `c${n}@mail.example` })).status).toBe(202);
    const refused = await one.ask({ email: 'c4@mail.example' }, one.token, '203.0.113.9');
    expect([refused.status, refused.code]).toEqual([429, 'rate_limited']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(3_000);
    const neighbour = await begin(one.ip);
    expect((await neighbour.ask({ email: 'c5@mail.example' })).code).toBe('rate_limited');
    for (const address of ['c4', 'c5']) expect(await queued(`${address}@mail.example`)).toEqual([]);
    // The file itself can be downloaded without limit; staff have a limit of their own.
    expect((await one.ask({})).status).toBe(200);
    expect((await one.ask({ email: 'c6@mail.example' }, anna)).status).toBe(202);
  });

  it('[MAIL2] reaches a recipient at most five times an hour, whoever sends it and however the address is spelled', async () => {
    const spelt = ['victim@mail.example', 'Victim@mail.example', 'VICTIM@MAIL.EXAMPLE'];
    for (let n = 0; n < 5; n += 1) {
      const someone = await begin();
      expect((await someone.ask({ email: spelt[n % spelt.length] })).status).toBe(202);
    }
    const sixth = await begin();
    for (const token of [sixth.token, anna])
      expect((await sixth.ask({ email: 'victim@mail.example' }, token)).code).toBe('rate_limited');
    expect(await queued('victim@mail.example')).toHaveLength(5);
  });

  it('[MAIL2] may be requested by an operator sixty times an hour', async () => {
    const one = await begin();
    const boris = await chat.staff('boris');
    for (let n = 0; n < 60; n += 1) expect((await one.ask({ email: `b${n}@mail.example` }, boris)).status).toBe(202);
    expect((await one.ask({ email: 'b60@mail.example' }, boris)).code).toBe('rate_limited');
    expect(await queued('b60@mail.example')).toEqual([]);
  });

  it('[MAIL2] of another chat, or to an invalid address, is neither queued nor counted', async () => {
    const [one, other] = [await begin(), await begin()];
    const narrow = await chat.staff('narrow', { scope: 'own' });
    const code = async (token: string | undefined, email: unknown) => (await one.ask({ email }, token)).code;
    for (let n = 0; n < 4; n += 1) {
      expect(await code(other.token, 'stranger@mail.example')).toBe('bad_token');
      expect(await code(narrow, 'stranger@mail.example')).toBe('session_not_found');
      for (const bad of [
        '',
        'x',
        'a@b@c',
        'a@mail.example\r\nBcc: b@mail.example',
        `${'x'.repeat(250)}@mail.example`,
        5,
      ])
        expect(await code(one.token, bad)).toBe('validation_failed');
    }
    const missing = await chat.call('POST', `/chat/session/${one.id}/transcript`, {
      body: { email: 'stranger@mail.example' },
    });
    expect(missing.code).toBe('missing_credentials');
    expect(await queued('stranger@mail.example')).toEqual([]);
    expect((await one.ask({ email: 'mine@mail.example' })).status).toBe(202);
  });

  it('[MAIL2] is not sent to an address that bounced, but is sent to a customer who unsubscribed and asks for it', async () => {
    for (const [address, reason] of [
      ['gone@mail.example', 'bounced'],
      ['quiet@mail.example', 'unsubscribed'],
    ] as const)
      await chat.database.kysely.insertInto('mail_refusal').values({ address, reason }).execute();
    const one = await begin();
    for (const email of ['gone@mail.example', 'quiet@mail.example'])
      expect((await one.ask({ email })).status).toBe(202);
    expect([(await queued('gone@mail.example')).length, (await queued('quiet@mail.example')).length]).toEqual([0, 1]);
  });

  it('[MAIL2] ends with the last message that fits, and says so', async () => {
    const { id, token } = await begin();
    for (const body of ['первое', 'второе', 'x'.repeat(2_000), 'последнее'])
      await chat.call('POST', `/chat/session/${id}/messages`, {
        token,
        body: { body, client_message_id: randomUUID() },
      });
    const transcripts = new Transcripts(chat.context, async () => 'UTC');
    const actor = { kind: 'customer', sessionId: id } as const;
    const cut = await text(await transcripts.open(actor, id, 1_000));
    expect(cut).toContain('второе');
    expect(cut).not.toContain('xxx');
    expect(cut).not.toContain('последнее');
    expect(cut).toMatch(/\[Переписка длиннее, чем помещается в письмо\. .*\]\n$/);
    expect(await text(await transcripts.open(actor, id))).toContain('последнее');
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as rest from './rest.ts';

const accepts = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown) =>
  schema.safeParse(value).success;
const uuid = '6f9619ff-8b86-4011-b42d-00cf4fc964ff';

describe('query parameters', () => {
  it('[ERR5] limit is 1–500, and 100 by default', () => {
    expect(rest.limitQuerySchema.parse(undefined)).toBe(100);
    expect(rest.limitQuerySchema.parse('1')).toBe(1);
    expect(rest.limitQuerySchema.parse('500')).toBe(500);
    for (const bad of [
      '0',
      '501',
      '-1',
      '1.5',
      '1e2',
      '0x1',
      ' 1',
      '1 ',
      '',
      'NaN',
      '99999999999999999',
      ['1', '2'],
      5,
    ]) {
      expect(accepts(rest.limitQuerySchema, bad), String(bad)).toBe(false);
    }
  });

  it('[ERR6] ids in paths are digits below 2^53', () => {
    expect(rest.sessionIdParamSchema.parse('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
    for (const bad of ['0', '9007199254740992', '１', 'abc', '..', '1;x', '%31'])
      expect(accepts(rest.sessionIdParamSchema, bad), bad).toBe(false);
  });

  it('[ERR6] numbers are accepted exactly if they are digits in range', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        (id) => rest.sessionIdParamSchema.parse(String(id)) === id,
      ),
    );
  });

  it('[EVT2] events have a cursor by seq, 0 by default', () => {
    expect(rest.eventsQuerySchema.parse({})).toEqual({ after_seq: 0, limit: 100 });
    expect(accepts(rest.eventsQuerySchema, { after_seq: '-1' })).toBe(false);
  });

  it('[MSG12] messages have cursors by id', () => {
    expect(rest.messagesQuerySchema.parse({ before_id: '7', limit: '2' })).toEqual({ before_id: 7, limit: 2 });
    expect(accepts(rest.messagesQuerySchema, { after_id: '1e309' })).toBe(false);
  });

  it('[FEED3] the feed has a cursor that stays a string', () => {
    expect(rest.feedQuerySchema.parse({ after: '12' })).toEqual({ after: '12', limit: 100 });
    expect(accepts(rest.feedQuerySchema, { after: 'x' })).toBe(false);
  });
});

describe('POST /chat/session', () => {
  const full = {
    name: 'Ann',
    email: 'ann@example.com',
    phone: '+49 170 1234567',
    locale: 'de-DE',
    page_url: 'https://shop.example/p?x=1',
    attributes: { plan: 'pro', orders: 3, vip: true, note: null },
    consent: { version: '2', accepted: true },
    resume_key: 'A'.repeat(43),
    message: { body: 'Hello', client_message_id: uuid },
  };

  it('[SES3] [ERR11] accepts all fields, none, nulls, and ignores unknown ones', () => {
    expect(rest.createSessionRequestSchema.parse(full)).toEqual(full);
    expect(rest.createSessionRequestSchema.parse({})).toEqual({});
    expect(rest.createSessionRequestSchema.parse({ name: null, email: null, consent: true, role: 'admin' })).toEqual({
      name: null,
      email: null,
      consent: true,
    });
  });

  it.each([
    ['name', { name: { $ne: null } }],
    ['name', { name: 'x'.repeat(201) }],
    ['name', { name: 'a\u0000' }],
    ['email', { email: 'ann' }],
    ['email', { email: `${'a'.repeat(260)}@example.com` }],
    ['page_url', { page_url: 'javascript:alert(1)' }],
    ['page_url', { page_url: `https://x/${'a'.repeat(2_048)}` }],
    ['attributes', { attributes: { deep: { er: 1 } } }],
    ['attributes', { attributes: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, 1])) }],
    ['attributes', { attributes: [1] }],
    ['message', { message: { body: 'x' } }],
    ['message', { message: { body: ' ', client_message_id: uuid } }],
    ['message', { message: 'x' }],
    ['consent', { consent: 'yes' }],
  ])('[SES3] [ERR4] refuses a bad %s and names it', (field, body) => {
    const result = rest.createSessionRequestSchema.safeParse(body);
    expect(result.success).toBe(false);
    expect(result.error?.issues[0]?.path[0]).toBe(field);
  });

  it.each(['', 'A'.repeat(42), 'A'.repeat(44), `${'A'.repeat(42)}=`, `${'A'.repeat(42)}+`, `${'A'.repeat(43)}\n`])(
    '[SES5] refuses the resume key %j',
    (key) => {
      expect(accepts(rest.createSessionRequestSchema, { resume_key: key })).toBe(false);
    },
  );
});

describe('POST messages', () => {
  const schema = rest.postMessageRequestSchema;

  it('[MSG1] accepts a body with its id, which becomes lower case', () => {
    expect(schema.parse({ body: 'x', client_message_id: uuid.toUpperCase(), expected_seq: 0 })).toEqual({
      body: 'x',
      client_message_id: uuid,
      expected_seq: 0,
    });
  });

  it('[ERR8] may have an empty text only with attachments', () => {
    expect(accepts(schema, { client_message_id: uuid, attachments: ['a1'] })).toBe(true);
    expect(accepts(schema, { body: ' ', client_message_id: uuid, attachments: ['a1'] })).toBe(true);
    for (const bad of [{}, { body: '' }, { body: ' \n' }, { attachments: [] }, { body: '', attachments: [] }]) {
      expect(accepts(schema, { client_message_id: uuid, ...bad }), JSON.stringify(bad)).toBe(false);
    }
  });

  it('[ATT4] has at most five attachments', () => {
    expect(accepts(schema, { body: 'x', client_message_id: uuid, attachments: ['1', '2', '3', '4', '5'] })).toBe(true);
    expect(accepts(schema, { body: 'x', client_message_id: uuid, attachments: ['1', '2', '3', '4', '5', '6'] })).toBe(
      false,
    );
  });

  it.each([
    ['no id', { body: 'x' }],
    ['an id that is no UUID', { body: 'x', client_message_id: '1' }],
    ['a body that is no text', { body: 5, client_message_id: uuid }],
    ['a body that is an object', { body: { $gt: '' }, client_message_id: uuid }],
    ['expected_seq as text', { body: 'x', client_message_id: uuid, expected_seq: '1' }],
    ['a negative expected_seq', { body: 'x', client_message_id: uuid, expected_seq: -1 }],
    ['a list', []],
    ['null', null],
  ])('[MSG7] refuses %s', (_, body) => expect(accepts(schema, body)).toBe(false));
});

describe('other bodies', () => {
  it('[RD1] a read mark is a whole number from 0', () => {
    for (const good of [0, 1, Number.MAX_SAFE_INTEGER])
      expect(accepts(rest.readRequestSchema, { last_id: good })).toBe(true);
    for (const bad of [-1, 1.5, '1', null, undefined, 2 ** 53])
      expect(accepts(rest.readRequestSchema, { last_id: bad }), String(bad)).toBe(false);
  });

  it('[IDN5] a token needs its session', () => {
    expect(accepts(rest.identityRequestSchema, { identity_token: 'a.b.c' })).toBe(true);
    expect(accepts(rest.identityRequestSchema, { identity_token: 'a.b.c', token: 't', session_id: 1 })).toBe(true);
    expect(accepts(rest.identityRequestSchema, { identity_token: 'a.b.c', token: 't' })).toBe(false);
    expect(accepts(rest.identityRequestSchema, { token: 't', session_id: 1 })).toBe(false);
  });

  it('[CB8] a callback needs consent', () => {
    const body = { phone: '+49 170 1234567' };
    for (const good of [true, { version: '1' }, { version: '1', accepted: true }])
      expect(accepts(rest.callbackRequestSchema, { ...body, consent: good })).toBe(true);
    for (const bad of [undefined, null, false, { version: '1', accepted: false }, 'yes']) {
      expect(accepts(rest.callbackRequestSchema, { ...body, consent: bad }), JSON.stringify(bad)).toBe(false);
    }
  });

  it('[SES10] a stream link lasts 60 s to 24 h', () => {
    for (const good of [{}, { expires_in: 60 }, { expires_in: 86_400 }])
      expect(accepts(rest.streamLinkRequestSchema, good)).toBe(true);
    for (const bad of [59, 86_401, 0, -1, '60', 60.5])
      expect(accepts(rest.streamLinkRequestSchema, { expires_in: bad }), String(bad)).toBe(false);
  });

  it('[NOTE1] a note has the limits of a message', () => {
    expect(accepts(rest.noteRequestSchema, { body: 'x' })).toBe(true);
    expect(accepts(rest.noteRequestSchema, { body: '' })).toBe(false);
    expect(accepts(rest.noteRequestSchema, { body: 'x'.repeat(10_001) })).toBe(false);
  });

  it('[INB1] the inbox has filters and pages', () => {
    expect(rest.sessionListQuerySchema.parse({})).toEqual({ sort: 'activity', limit: 100 });
    for (const sort of ['waiting', 'activity', 'created'])
      expect(accepts(rest.sessionListQuerySchema, { sort })).toBe(true);
    for (const bad of [{ sort: 'name' }, { limit: '0' }, { q: 'x'.repeat(201) }, { q: '\u0000' }, { q: ['a', 'b'] }]) {
      expect(accepts(rest.sessionListQuerySchema, bad), JSON.stringify(bad)).toBe(false);
    }
  });
});

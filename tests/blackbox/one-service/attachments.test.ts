import { type Attachment, attachmentResponseSchema, configResponseSchema } from '@chat-realtime/protocol';
import { type Customer, type HttpAnswer, messageRequest, rawHttp, statusOf } from '@chat-realtime/testkit';
import { describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';
import { ELF, EXE, GIF, HTML, PDF, png, pngOfSize, POLYGLOT, SEVEN_ZIP, SVG } from '../../support/files.ts';
import { flipped } from '../../support/tokens.ts';

const chat = await useChat('main');
const MAX = 10 * 1024 * 1024;

/** Uploads, posts and gives the attachment as it stands in the message. */
async function posted(customer: Customer, name: string, content: Buffer): Promise<Attachment> {
  const { id } = await customer.uploaded(name, content);
  const message = await customer.post('', { attachments: [id] });
  const [attachment] = message.attachments;
  if (attachment?.url === undefined) throw new Error('the attachment has no url');
  return attachment;
}

function fetchUrl(url: string | undefined): Promise<HttpAnswer> {
  const { pathname, search } = new URL(url ?? '', chat.baseUrl);
  return chat.http.get(pathname + search);
}

describe('upload', () => {
  test('[ATT1] [ATT5] an image comes back byte for byte, with its size', async () => {
    const customer = await chat.customer();
    const content = png(5, 4);
    const uploaded = await customer.uploaded('Bild ä 😀.png', content);
    expect(uploaded).toMatchObject({
      name: 'Bild ä 😀.png',
      mime: 'image/png',
      size: content.length,
      width: 5,
      height: 4,
    });
    const message = await customer.post('look', { attachments: [uploaded.id] });
    expect(message.attachments).toHaveLength(1);
    const answer = await fetchUrl(message.attachments[0]?.url);
    expect(answer.status).toBe(200);
    expect(answer.body.equals(content)).toBe(true);
    expect(answer.header('content-type')).toBe('image/png');
  });

  test('[ATT1] [ERR8] the text may be empty with an attachment; staff upload as well', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const answer = await anna.request('POST', `${customer.path}/attachments`, {
      raw: GIF,
      headers: { 'Content-Type': 'image/gif', 'X-File-Name': 'a.gif' },
    });
    expect(answer.status).toBe(201);
    expect((await posted(customer, 'only.png', png())).name).toBe('only.png');
  });

  test('[ATT6] every file has nosniff and a sandbox; only raster images are shown inline', async () => {
    const customer = await chat.customer();
    for (const [name, content, inline] of [
      ['a.png', png(), true],
      ['a.gif', GIF, true],
      ['a.pdf', PDF, false],
      ['a.txt', Buffer.from('plain text'), false],
    ] as const) {
      const upload = await customer.upload(name, content);
      const { id } = upload.as(attachmentResponseSchema, 201);
      const message = await customer.post(name, { attachments: [id] });
      const answer = await fetchUrl(message.attachments[0]?.url);
      expect(answer.header('x-content-type-options')).toBe('nosniff');
      expect(answer.header('content-security-policy')).toMatch(/\bsandbox\b/);
      const disposition = answer.header('content-disposition') ?? '';
      if (inline) expect(disposition).not.toMatch(/^attachment/);
      else expect(disposition).toMatch(/^attachment/);
      expect(answer.header('access-control-allow-origin')).toBeUndefined();
    }
  });

  test.each([
    ['svg named png', 'a.png', SVG, 'image/png'],
    ['html named png', 'a.png', HTML, 'image/png'],
    ['html named txt', 'a.txt', HTML, 'text/plain'],
    ['svg', 'a.svg', SVG, 'image/svg+xml'],
    ['a Windows program', 'a.png', EXE, 'image/png'],
    ['a Linux program', 'a.pdf', ELF, 'application/pdf'],
    ['a GIF with script', 'a.html', POLYGLOT, 'text/html'],
    [
      'upper case html after white space',
      'a.txt',
      Buffer.from('  \n<!DOCTYPE HTML><SCRIPT>alert(1)</SCRIPT>'),
      'text/plain',
    ],
    ['html behind a byte order mark', 'a.txt', Buffer.from('\ufeff<html><script>alert(1)</script>'), 'text/plain'],
  ])('[ATT3] %s can never run', async (_what, name, content, type) => {
    const customer = await chat.customer();
    const upload = await customer.upload(name, content, { 'Content-Type': type });
    const { id, mime } = upload.as(attachmentResponseSchema, 201);
    expect(mime).not.toMatch(/html|svg|xml|javascript/);
    const message = await customer.post('x', { attachments: [id] });
    const answer = await fetchUrl(message.attachments[0]?.url);
    expect(answer.header('content-type') ?? '').not.toMatch(/html|svg|xml|javascript/);
    expect(answer.header('x-content-type-options')).toBe('nosniff');
    expect(answer.header('content-security-policy')).toContain('sandbox');
  });

  const ftyp = (brand: string): Buffer => Buffer.from(`\0\0\0\x18ftyp${brand}${'\0'.repeat(40)}`, 'latin1');
  test.each([
    ['фильм.mov', ftyp('qt  '), 'video/quicktime'],
    ['голос.m4a', ftyp('M4A '), 'audio/mp4'],
    ['фото.heic', ftyp('heic'), 'image/heic'],
    ['фото.avif', ftyp('avif'), 'image/avif'],
    ['скан.bmp', Buffer.concat([Buffer.from('BM'), Buffer.alloc(60)]), 'image/bmp'],
    ['скан.tiff', Buffer.concat([Buffer.from('49492a0008000000', 'hex'), Buffer.alloc(60)]), 'image/tiff'],
  ])('[ATT3] [ATT6] %s keeps its type, and only a picture is shown', async (name, content, mime) => {
    const attachment = await posted(await chat.customer(), name, content);
    expect(attachment).toMatchObject({ name, mime });
    const answer = await fetchUrl(attachment.url);
    expect(answer.body.equals(content)).toBe(true);
    expect(answer.header('content-type')).toBe(mime);
    expect(answer.header('content-disposition')).toMatch(mime.startsWith('image/') ? /^inline;/ : /^attachment;/);
  });

  test.each([
    ['договор.doc', Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(600)])],
    ['архив.rar', Buffer.concat([Buffer.from('526172211a070100', 'hex'), Buffer.alloc(60)])],
    ['архив.7z', SEVEN_ZIP],
    ['письмо.txt', Buffer.from('cff0e8e2e5f2', 'hex')],
    ['таблица.csv', Buffer.from('\ufeffа;б\n', 'utf16le')],
  ])('[ATT3] [ATT6] %s is taken as a download', async (name, content) => {
    const attachment = await posted(await chat.customer(), name, content);
    expect(attachment).toMatchObject({ name, mime: 'application/octet-stream' });
    const answer = await fetchUrl(attachment.url);
    expect(answer.body.equals(content)).toBe(true);
    expect(answer.header('content-type')).toBe('application/octet-stream');
    expect(answer.header('content-disposition')).toMatch(/^attachment;/);
  });

  test('[ATT2] 10 MB are accepted, one byte more is 413, none is 422', { timeout: 30_000 }, async () => {
    const customer = await chat.customer();
    expect((await customer.upload('max.png', pngOfSize(MAX))).status).toBe(201);
    expectError(await customer.upload('over.png', pngOfSize(MAX + 1)), 'payload_too_large');
    expectError(await customer.upload('none.png', Buffer.alloc(0)), 'validation_failed');
  });

  test('[ATT2] an upload that lies about its length or is chunked is cut off', async () => {
    const customer = await chat.customer();
    const { host } = new URL(chat.baseUrl);
    const head = [
      `POST ${customer.path}/attachments HTTP/1.1`,
      `Host: ${host}`,
      `Authorization: Bearer ${customer.token}`,
      'Content-Type: application/octet-stream',
      'X-File-Name: a.png',
    ].join('\r\n');
    const claimed = await rawHttp(chat.baseUrl, `${head}\r\nContent-Length: 99999999999\r\n\r\nabc`);
    expect(statusOf(claimed)).toBe(413);
    const chunk = `${(1_048_576).toString(16)}\r\n${'a'.repeat(1_048_576)}\r\n`;
    const chunked = await rawHttp(
      chat.baseUrl,
      `${head}\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(11)}0\r\n\r\n`,
      8_000,
    );
    expect([413, 415]).toContain(statusOf(chunked));
  });

  test('[ATT7] file names lose path parts and control characters and cannot break a header', async () => {
    const customer = await chat.customer();
    for (const name of [
      '../../etc/passwd.png',
      'C:\\x\\y.png',
      'a\r\nSet-Cookie: x=1.png',
      '"quoted".png',
      'x'.repeat(300) + '.png',
      '..',
    ]) {
      const attachment = await posted(customer, name, png());
      expect(attachment.name).not.toMatch(/[/\\\r\n\0]/);
      expect(attachment.name.length).toBeLessThanOrEqual(200);
      expect(attachment.name).not.toBe('');
      const answer = await fetchUrl(attachment.url);
      expect(answer.status, name).toBe(200);
      expect(answer.header('set-cookie')).toBeUndefined();
    }
    const missing = await customer.request('POST', '/attachments', {
      raw: png(),
      headers: { 'Content-Type': 'image/png' },
    });
    expect([201, 422]).toContain(missing.status);
    const broken = await customer.upload('x', png(), { 'X-File-Name': '%zz%' });
    expect([201, 422]).toContain(broken.status);
  });
});

describe('attachments in messages', () => {
  test('[ATT4] at most five, each used once, of the own session and uploader', async () => {
    const customer = await chat.customer();
    const other = await chat.customer();
    const anna = await chat.staff('anna');
    const uploads = await Promise.all(
      Array.from({ length: 6 }, (_, index) => customer.uploaded(`${index}.png`, png())),
    );
    const ids = uploads.map((upload) => upload.id);
    expect((await customer.post('five', { attachments: ids.slice(0, 5) })).attachments).toHaveLength(5);
    const attempts = [
      customer.request('POST', '/messages', { json: messageRequest('used', { attachments: ids.slice(0, 1) }) }),
      other.request('POST', '/messages', { json: messageRequest('foreign', { attachments: ids.slice(5) }) }),
      anna.send(customer.sessionId, "somebody else's", { attachments: ids.slice(5) }),
      customer.request('POST', '/messages', {
        json: messageRequest('twice', { attachments: [ids[5] ?? '', ids[5] ?? ''] }),
      }),
    ];
    for (const answer of await Promise.all(attempts)) expectError(answer, 'validation_failed');
  });

  test('[ATT5] the url is in history and events, is signed and needs its signature', async () => {
    const customer = await chat.customer();
    const attachment = await posted(customer, 'a.png', png());
    const fromHistory = (await customer.messages()).messages[0]?.attachments[0];
    const url = new URL(fromHistory?.url ?? '', chat.baseUrl);
    expect(url.pathname).toBe(`/chat/attachments/${attachment.id}`);
    expect((await fetchUrl(fromHistory?.url)).status).toBe(200);
    const sig = url.searchParams.get('sig') ?? '';
    for (const bad of ['', 'x', sig.slice(0, -2), flipped(sig)]) {
      expect((await chat.http.get(`${url.pathname}?sig=${bad}`)).status, bad).toBe(401);
    }
    expect((await chat.http.get(url.pathname)).status).toBe(401);
    expect((await chat.http.get(url.pathname, { token: customer.token })).status).toBe(401);
    const second = await posted(customer, 'b.png', png());
    expect((await chat.http.get(`/chat/attachments/${second.id}?sig=${sig}`)).status).toBe(401);
    for (const id of ['nope', '..%2f..%2fetc%2fpasswd', '%00']) {
      expect([400, 401, 404]).toContain((await chat.http.get(`/chat/attachments/${id}?sig=${sig}`)).status);
    }
  });

  test('[ATT1] the configuration has the limits', async () => {
    const { attachments } = (await chat.http.get('/chat/config')).as(configResponseSchema);
    expect(attachments).toMatchObject({ max_bytes: MAX, max_per_message: 5 });
    expect(attachments.mime).toContain('image/png');
    expect(attachments.mime).toContain('application/octet-stream');
  });

  test('[ATT1] [ERR13] without a token, or with another session’s, nothing is stored', async () => {
    const customer = await chat.customer();
    const other = await chat.customer();
    expectError(await chat.http.post(`${customer.path}/attachments`, { raw: png() }), 'missing_credentials');
    expectError(await chat.http.post(`${customer.path}/attachments`, { raw: png(), token: other.token }), 'bad_token');
  });
});

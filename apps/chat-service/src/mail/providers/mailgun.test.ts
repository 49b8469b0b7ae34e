import { createHmac, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { NOW, RAW, refusal, takenMail, TO } from '../../../test/taken-mail.ts';
import { Mailgun } from './mailgun.ts';

const { taken, intake } = takenMail();

describe('Mailgun', () => {
  const KEY = 'key-0123456789abcdef';
  const bound = new Map<string, string>();
  const tokens = {
    async fits(token: string, key: string) {
      if (!bound.has(token)) bound.set(token, key);
      return bound.get(token) === key;
    },
  };
  const newMailgun = (signingKey: string | undefined = KEY) =>
    new Mailgun({ signingKey, intake, tokens, now: () => NOW });
  const signed = ({ at = NOW, key = KEY, token = randomBytes(25).toString('hex') } = {}) => ({
    timestamp: String(at),
    token,
    signature: createHmac('sha256', key).update(`${at}${token}`).digest('hex'),
  });
  const urlencoded = (fields: Record<string, string>, mailgun = newMailgun()) =>
    mailgun.take('application/x-www-form-urlencoded', Buffer.from(new URLSearchParams(fields).toString()));
  const multipart = async (fields: Record<string, string | File>, mailgun = newMailgun()) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    const request = new Response(form);
    return mailgun.take(request.headers.get('content-type') ?? undefined, Buffer.from(await request.arrayBuffer()));
  };
  const parsed = {
    recipient: TO,
    sender: 'olga@mail.example',
    from: 'Ольга <olga@mail.example>',
    subject: 'Re: chat',
    'message-headers': JSON.stringify([
      ['Received', 'from there'],
      ['Message-Id', '<two@mail.example>'],
      ['From', '=?utf-8?b?0J7Qu9GM0LPQsA==?= <olga@mail.example>'],
      ['To', 'team@shop.example'],
      ['Content-Type', 'multipart/mixed; boundary="x"'],
    ]),
    'body-plain': 'Вот чек\n\n> — Ответьте выше этой строки —\n> Здравствуйте',
    'body-html': '<p>Вот чек</p><div class="gmail_signature"><img src="cid:logo"></div>',
  };

  it('[MAIL8] delivers the raw mail, in a form of either kind', async () => {
    await urlencoded({ ...signed(), recipient: TO, 'body-mime': RAW });
    await multipart({ ...signed(), recipient: `${TO},other@shop.example`, 'body-mime': RAW });
    expect(taken.map(({ text, from, key }) => [text, from, key])).toEqual(
      Array.from({ length: 2 }, () => ['Спасибо!', 'olga@mail.example', taken[0]?.key]),
    );
    expect(taken[1]?.recipients).toEqual([TO, 'other@shop.example', 'team@shop.example']);
  });

  it('[MAIL4] [MAIL8] keeps the bytes of a mail in another charset, in a form of either kind', async () => {
    const cp1251 = Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]);
    const raw = Buffer.concat([
      Buffer.from(
        RAW.slice(0, RAW.indexOf('Content-Type')) +
          'Content-Type: text/plain; charset=windows-1251\r\nContent-Transfer-Encoding: 8bit\r\n\r\n',
      ),
      cp1251,
    ]);
    const mailgun = newMailgun();
    const escaped = [...raw].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
    const fields = new URLSearchParams({ ...signed(), recipient: TO }).toString();
    await mailgun.take('application/x-www-form-urlencoded', Buffer.from(`${fields}&body-mime=${escaped}`));
    const boundary = 'xYzZY';
    const part = (name: string, value: Buffer): Buffer =>
      Buffer.concat([
        Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`),
        value,
        Buffer.from('\r\n'),
      ]);
    const parts = Object.entries({ ...signed(), recipient: TO }).map(([name, value]) => part(name, Buffer.from(value)));
    const body = Buffer.concat([...parts, part('body-mime', raw), Buffer.from(`--${boundary}--\r\n`)]);
    await mailgun.take(`multipart/form-data; boundary=${boundary}`, body);
    expect(taken.map(({ text }) => text)).toEqual(['Привет', 'Привет']);
  });

  it('[MAIL4] [MAIL8] delivers a picture pasted into the text, and none of a signature', async () => {
    const html =
      '<div>Вот так выглядит <img src="cid:shot"></div><div class="gmail_signature"><img src="cid:logo"></div>' +
      '<div class="gmail_quote"><blockquote>— Ответьте выше этой строки —<img src="cid:ours"></blockquote></div>';
    await multipart({
      ...signed(),
      ...parsed,
      'body-plain': 'Вот так выглядит [image: shot.png]',
      'body-html': html,
      'attachment-1': new File([Buffer.from('PNG-1')], 'shot.png', { type: 'image/png' }),
      'attachment-2': new File([Buffer.from('PNG-2')], 'logo.png', { type: 'image/png' }),
      'attachment-3': new File([Buffer.from('PNG-3')], 'ours.png', { type: 'image/png' }),
      'content-id-map': '{"<shot>": "attachment-1", "<logo>": "attachment-2", "<ours>": "attachment-3"}',
    });
    expect(taken.map(({ text, files }) => [text, files.map(({ name }) => name)])).toEqual([
      ['Вот так выглядит', ['shot.png']],
    ]);
  });

  it('[MAIL8] delivers a parsed mail with its files, which is judged alike', async () => {
    await multipart({
      ...signed(),
      ...parsed,
      'attachment-count': '2',
      'attachment-1': new File([Buffer.from('%PDF-1.4')], 'чек.pdf', { type: 'application/pdf' }),
      'attachment-2': new File([Buffer.from('GIF89a')], 'logo.gif', { type: 'image/gif' }),
      'content-id-map': '{"<logo>": "attachment-2"}',
    });
    const [mail] = taken;
    expect([mail?.text, mail?.from, mail?.kind]).toEqual(['Вот чек', 'olga@mail.example', 'letter']);
    expect(mail?.files.map(({ name, content }) => [name, content.toString()])).toEqual([['чек.pdf', '%PDF-1.4']]);
    expect(mail?.recipients).toEqual([TO, 'team@shop.example']);
    // Sent again with another token, it is recognised by its Message-ID.
    await urlencoded({ ...signed(), ...parsed });
    expect(taken[1]?.key).toBe(mail?.key);
  });

  it('[MAIL5] [MAIL8] recognises automatic mail in parsed form too', async () => {
    const kind = async (more: Record<string, string>, header?: readonly [string, string]) => {
      const headers = JSON.stringify([...(header === undefined ? [] : [header]), ['Message-Id', '<x@mail.example>']]);
      await urlencoded({ ...signed(), ...parsed, 'message-headers': headers, ...more });
      return taken.at(-1)?.kind;
    };
    expect(await kind({})).toBe('letter');
    expect(await kind({}, ['Auto-Submitted', 'auto-replied'])).toBe('automatic');
    expect(await kind({}, ['List-Id', '<news.example>'])).toBe('automatic');
    expect(await kind({}, ['Precedence', 'bulk'])).toBe('automatic');
    expect(await kind({}, ['Content-Type', 'multipart/report; report-type=delivery-status'])).toBe('automatic');
    expect(await kind({}, ['X-Chat-Realtime', '1'])).toBe('own');
    expect(await kind({ sender: '' })).toBe('automatic');
  });

  it('[MAIL8] is refused with a wrong or outdated signature, and if no key is configured', async () => {
    const mime = { recipient: TO, 'body-mime': RAW };
    expect(await refusal(urlencoded(mime))).toBe('missing_credentials');
    for (const bad of [
      signed({ key: 'another-key-0123456789' }),
      { ...signed(), token: 'another-token-0123456789' },
      { ...signed(), timestamp: String(NOW - 1) },
      { ...signed(), signature: '' },
      signed({ at: NOW - 9 * 3_600 - 1 }),
      signed({ at: NOW + 301 }),
      signed({ token: 'short' }),
    ])
      expect(await refusal(urlencoded({ ...bad, ...mime }))).toBe('bad_credentials');
    expect(
      await refusal(
        urlencoded({ ...signed(), ...mime }, new Mailgun({ signingKey: undefined, intake, tokens, now: () => NOW })),
      ),
    ).toBe('bad_credentials');
    expect(taken).toEqual([]);
    // Its route was unavailable for a morning.
    expect(await refusal(urlencoded({ ...signed({ at: NOW - 8 * 3_600 }), ...mime }))).toBe('taken');
  });

  it('[MAIL8] accepts a token for one mail, and again only for that mail', async () => {
    const once = signed();
    const mime = { recipient: TO, 'body-mime': RAW };
    expect(await refusal(urlencoded({ ...once, ...mime }))).toBe('taken');
    expect(await refusal(urlencoded({ ...once, ...mime }))).toBe('taken');
    expect(await refusal(urlencoded({ ...once, ...mime, 'body-mime': RAW.replace('<one@', '<forged@') }))).toBe(
      'bad_credentials',
    );
    // Neither Message-ID nor header: the same parts are the same mail.
    const bare = { ...signed(), ...parsed, 'message-headers': '[]' };
    expect([await refusal(urlencoded(bare)), await refusal(urlencoded(bare))]).toEqual(['taken', 'taken']);
    expect(taken.at(-1)?.key).toBe(taken.at(-2)?.key);
  });

  it('[MAIL8] a form with thousands of fields, or no form at all, is refused before it is parsed', async () => {
    const form = (type: string | undefined, body: string) => refusal(newMailgun().take(type, Buffer.from(body)));
    expect(await form('application/x-www-form-urlencoded', 'a=1&'.repeat(1_000))).toBe('validation_failed');
    expect(await form('multipart/form-data; boundary=x', '--x\r\n\r\n'.repeat(1_000))).toBe('validation_failed');
    expect(await form('multipart/form-data; boundary="x"', 'nothing')).toBe('validation_failed');
    // Parts are counted by the boundary at which they are split, whatever else the header contains.
    const parts = `${'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'.repeat(400)}--x--\r\n`;
    for (const decoy of ['x-boundary=nope', 'a="boundary=nope"', 'a="b; boundary=nope"'])
      expect(await form(`multipart/form-data; ${decoy}; boundary=x`, parts), decoy).toBe('validation_failed');
    expect(await form('application/json', '{}')).toBe('validation_failed');
    expect(await form(undefined, '')).toBe('validation_failed');
    for (const headers of ['{', '5'])
      expect(await refusal(urlencoded({ ...signed(), ...parsed, 'message-headers': headers }))).toBe(
        'validation_failed',
      );
  });
});

// Long because the three providers share the mails and the intake that they are tried with.
import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { MailInboundResponse } from '@chat-realtime/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { snsCertificate } from '../../../test/sns-certificate.ts';
import type { MailDelivery } from '../mail-intake.ts';
import { type ReceivedMail, readMail } from '../read-mail.ts';
import { Mailgun } from './mailgun.ts';
import { Postmark } from './postmark.ts';
import { Ses } from './ses.ts';

const NOW = 1_800_000_000;
const TO = 'support+c1-0123456789abcdef0123@shop.example';
const RAW = [
  'Message-ID: <one@mail.example>',
  'From: Olga <olga@mail.example>',
  'To: team@shop.example',
  'Subject: Re: chat',
  'Content-Type: text/plain; charset=utf-8',
  '',
  'Спасибо!',
].join('\r\n');

let taken: (ReceivedMail & { readonly providerId: string | undefined })[];
const intake = {
  async take(raw: Buffer, { recipients = [], providerId, admit }: MailDelivery = {}): Promise<MailInboundResponse> {
    const mail = await readMail(raw, recipients);
    await admit?.(mail.key);
    taken.push({ ...mail, providerId });
    return { outcome: 'ignored', reason: 'empty' };
  },
};
beforeEach(() => {
  taken = [];
});
const code = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'taken',
    (error) => error.code,
  );

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

  it('[MAIL8] brings the mail as it is, in a form of either kind', async () => {
    await urlencoded({ ...signed(), recipient: TO, 'body-mime': RAW });
    await multipart({ ...signed(), recipient: `${TO},other@shop.example`, 'body-mime': RAW });
    expect(taken.map(({ text, from, key }) => [text, from, key])).toEqual(
      Array.from({ length: 2 }, () => ['Спасибо!', 'olga@mail.example', taken[0]?.key]),
    );
    expect(taken[1]?.recipients).toEqual([TO, 'other@shop.example', 'team@shop.example']);
  });

  it('[MAIL4] [MAIL8] keeps the bytes of a mail in a charset of its own, in a form of either kind', async () => {
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

  it('[MAIL4] [MAIL8] brings a picture that was pasted into the letter, and none of a signature', async () => {
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

  it('[MAIL8] brings it taken apart, with its files, and is judged the same', async () => {
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
    // Once more with another token, by its Message-ID.
    await urlencoded({ ...signed(), ...parsed });
    expect(taken[1]?.key).toBe(mail?.key);
  });

  it('[MAIL5] [MAIL8] what a program wrote is seen in the parts too', async () => {
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

  it('[MAIL8] is refused with a wrong signature, one of another time, and where no key is set', async () => {
    const mime = { recipient: TO, 'body-mime': RAW };
    expect(await code(urlencoded(mime))).toBe('missing_credentials');
    for (const bad of [
      signed({ key: 'another-key-0123456789' }),
      { ...signed(), token: 'another-token-0123456789' },
      { ...signed(), timestamp: String(NOW - 1) },
      { ...signed(), signature: '' },
      signed({ at: NOW - 9 * 3_600 - 1 }),
      signed({ at: NOW + 301 }),
      signed({ token: 'short' }),
    ])
      expect(await code(urlencoded({ ...bad, ...mime }))).toBe('bad_credentials');
    expect(
      await code(
        urlencoded({ ...signed(), ...mime }, new Mailgun({ signingKey: undefined, intake, tokens, now: () => NOW })),
      ),
    ).toBe('bad_credentials');
    expect(taken).toEqual([]);
    // Its route was down for a morning.
    expect(await code(urlencoded({ ...signed({ at: NOW - 8 * 3_600 }), ...mime }))).toBe('taken');
  });

  it('[MAIL8] a token opens the door for one mail, and again for that one alone', async () => {
    const once = signed();
    const mime = { recipient: TO, 'body-mime': RAW };
    expect(await code(urlencoded({ ...once, ...mime }))).toBe('taken');
    expect(await code(urlencoded({ ...once, ...mime }))).toBe('taken');
    expect(await code(urlencoded({ ...once, ...mime, 'body-mime': RAW.replace('<one@', '<forged@') }))).toBe(
      'bad_credentials',
    );
    // Neither Message-ID nor header: the same parts are the same mail.
    const bare = { ...signed(), ...parsed, 'message-headers': '[]' };
    expect([await code(urlencoded(bare)), await code(urlencoded(bare))]).toEqual(['taken', 'taken']);
    expect(taken.at(-1)?.key).toBe(taken.at(-2)?.key);
  });

  it('[MAIL8] a form of thousands of fields, or none at all, is refused before it is taken apart', async () => {
    const form = (type: string | undefined, body: string) => code(newMailgun().take(type, Buffer.from(body)));
    expect(await form('application/x-www-form-urlencoded', 'a=1&'.repeat(1_000))).toBe('validation_failed');
    expect(await form('multipart/form-data; boundary=x', '--x\r\n\r\n'.repeat(1_000))).toBe('validation_failed');
    expect(await form('multipart/form-data; boundary="x"', 'nothing')).toBe('validation_failed');
    // The parts are counted by the boundary that they are taken apart by, whatever stands beside it.
    const parts = `${'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'.repeat(400)}--x--\r\n`;
    for (const decoy of ['x-boundary=nope', 'a="boundary=nope"', 'a="b; boundary=nope"'])
      expect(await form(`multipart/form-data; ${decoy}; boundary=x`, parts), decoy).toBe('validation_failed');
    expect(await form('application/json', '{}')).toBe('validation_failed');
    expect(await form(undefined, '')).toBe('validation_failed');
    for (const headers of ['{', '5'])
      expect(await code(urlencoded({ ...signed(), ...parsed, 'message-headers': headers }))).toBe('validation_failed');
  });
});

describe('Postmark', () => {
  const postmark = new Postmark({ login: 'postmark:a-long-password', intake });
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  const inbound = {
    MessageID: '22c74902-a0c1-4511-804f-341342852c90',
    From: 'olga@mail.example',
    FromFull: { Email: 'olga@mail.example', Name: 'Olga', MailboxHash: '' },
    To: 'team@shop.example',
    Cc: '',
    OriginalRecipient: TO,
    Subject: 'Re: chat',
    TextBody: 'Спасибо!',
    HtmlBody: '<p>Спасибо!</p>',
    StrippedTextReply: '',
    Tag: '',
    Headers: [{ Name: 'Message-ID', Value: '<one@mail.example>' }],
    Attachments: [
      {
        Name: 'чек.pdf',
        Content: Buffer.from('%PDF-1.4').toString('base64'),
        ContentType: 'application/pdf',
        ContentID: '',
      },
      { Name: 'logo.gif', Content: 'R0lGODlh', ContentType: 'image/gif', ContentID: 'logo', ContentLength: 6 },
    ],
  };
  const brings = (more: object = {}) => postmark.take(Buffer.from(JSON.stringify({ ...inbound, ...more })));

  it('[MAIL9] is asked for user and password before its body is read', () => {
    const authorize = (header: string | undefined, of = postmark) =>
      of.authorize(header, '192.0.2.1').then(
        () => 'right',
        (error) => error.code,
      );
    return Promise.all(
      (
        [
          [undefined, 'missing_credentials'],
          ['', 'bad_credentials'],
          ['Bearer x', 'bad_credentials'],
          [basic('postmark:another'), 'bad_credentials'],
          [basic(''), 'bad_credentials'],
          [basic('postmark:a-long-password'), 'right'],
        ] as const
      ).map(async ([header, expected]) => expect([header, await authorize(header)]).toEqual([header, expected])),
    ).then(async () =>
      expect(await authorize(basic('x:y'), new Postmark({ login: undefined, intake }))).toBe('bad_credentials'),
    );
  });

  it('[MAIL9] is guessed ten times a minute from one address, and no more', async () => {
    const guarded = new Postmark({ login: 'postmark:a-long-password', intake });
    const right = basic('postmark:a-long-password');
    const guesses = await Promise.all(
      Array.from({ length: 10 }, (_, n) => code(guarded.authorize(basic(`postmark:${n}`), '192.0.2.2'))),
    );
    expect(new Set(guesses)).toEqual(new Set(['bad_credentials']));
    expect(await code(guarded.authorize(right, '192.0.2.2'))).toBe('rate_limited');
    expect(await code(guarded.authorize(right, '192.0.2.3'))).toBe('taken');
  });

  it('[MAIL9] brings a mail as it is or taken apart, which is the same mail', async () => {
    await brings({ RawEmail: RAW });
    await brings();
    expect(taken.map(({ text, from }) => [text, from])).toEqual(
      Array.from({ length: 2 }, () => ['Спасибо!', 'olga@mail.example']),
    );
    expect(taken[1]?.key).toBe(taken[0]?.key);
    expect(taken[1]?.providerId).toBe(`postmark\n${inbound.MessageID}`);
    expect(taken[1]?.recipients).toEqual([TO, 'team@shop.example']);
    expect(taken[1]?.files.map(({ name, content }) => [name, content.toString()])).toEqual([['чек.pdf', '%PDF-1.4']]);
  });

  it('[MAIL5] [MAIL9] sees what a program wrote', async () => {
    await brings({ Headers: [{ Name: 'Auto-Submitted', Value: 'auto-replied' }] });
    await brings({ Headers: [{ Name: 'Return-Path', Value: '<>' }] });
    expect(taken.map(({ kind }) => kind)).toEqual(['automatic', 'automatic']);
  });

  it('[MAIL9] refuses what Postmark does not send', async () => {
    for (const bad of ['', '[]', '{"MessageID":5}', '{"MessageID":"x","Attachments":[{}]}'])
      expect(await code(postmark.take(Buffer.from(bad)))).toBe('validation_failed');
  });
});

describe('Amazon SES', () => {
  const NOTIFICATION = ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'];
  const CONFIRMATION = ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
  const TOPIC = 'arn:aws:sns:eu-west-1:012345678912:mail';
  const CERTIFICATE = 'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem';
  const keys = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const pem = snsCertificate(keys, 'sns.amazonaws.com');
  let asked: string[];
  let answer: () => Promise<string>;
  let log: string[];
  let ses: Ses;
  beforeEach(() => {
    asked = [];
    log = [];
    answer = async () => pem;
    ses = newSes(TOPIC);
  });
  const newSes = (topicArn: string | undefined) => {
    const say = (_: object, message: string): void => void log.push(message);
    return new Ses({
      topicArn,
      intake,
      log: { debug: say, info: say, warn: say, error: say },
      fetchText: (url) => {
        asked.push(url);
        return answer();
      },
      now: () => NOW * 1_000,
    });
  };
  const mail = (more: object = {}, action: object = {}) => ({
    notificationType: 'Received',
    mail: { messageId: 'd6iitobk75ur44p8kdnnp7g2n800', source: 'olga@mail.example' },
    receipt: { recipients: [TO], action: { type: 'SNS', topicArn: TOPIC, encoding: 'UTF8', ...action } },
    content: RAW,
    ...more,
  });
  const signed = (more: Record<string, unknown> = {}, key = keys.privateKey) => {
    const message: Record<string, unknown> = {
      Type: 'Notification',
      MessageId: '165545c9-2a5c-472c-8df2-7ff2be2b3b1b',
      TopicArn: TOPIC,
      Subject: 'Amazon SES Email Receipt Notification',
      Message: JSON.stringify(mail()),
      Timestamp: new Date(NOW * 1_000).toISOString(),
      SignatureVersion: '2',
      SigningCertURL: CERTIFICATE,
      ...more,
    };
    const hash = message['SignatureVersion'] === '1' ? 'RSA-SHA1' : 'RSA-SHA256';
    // As Amazon's documents list it, whatever the product makes of it.
    const names = message['Type'] === 'Notification' ? NOTIFICATION : CONFIRMATION;
    const text = names
      .filter((name) => message[name] !== undefined)
      .map((name) => `${name}\n${String(message[name])}\n`)
      .join('');
    return { ...message, Signature: sign(hash, Buffer.from(text), key).toString('base64') };
  };
  const take = (message: object) => ses.take(Buffer.from(JSON.stringify(message)));
  const confirmation = (url: string) =>
    signed({
      Type: 'SubscriptionConfirmation',
      Subject: undefined,
      Message: 'You have chosen …',
      Token: 'abc',
      SubscribeURL: url,
    });

  it('[MAIL10] brings the mail in the notification, plain or in base64, signed in either version', async () => {
    await take(signed());
    const encoded = mail({ content: Buffer.from(RAW).toString('base64') }, { encoding: 'BASE64' });
    await take(signed({ SignatureVersion: '1', Message: JSON.stringify(encoded) }));
    expect(taken.map(({ text, key, recipients, providerId }) => [text, key, recipients, providerId])).toEqual(
      Array.from({ length: 2 }, () => [
        'Спасибо!',
        taken[0]?.key,
        [TO, 'team@shop.example'],
        'ses\nd6iitobk75ur44p8kdnnp7g2n800',
      ]),
    );
    // One certificate, asked for once.
    expect(asked).toEqual([CERTIFICATE]);
  });

  it('[MAIL10] is refused by another key, another topic, another time, or changed on the way', async () => {
    const other = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    for (const bad of [
      signed({}, other.privateKey),
      { ...signed(), Message: JSON.stringify(mail({ content: 'forged' })) },
      { ...signed(), Signature: '' },
      signed({ TopicArn: `${TOPIC}2` }),
      signed({ Timestamp: new Date(NOW * 1_000 - 7_200_001).toISOString() }),
      signed({ Timestamp: new Date(NOW * 1_000 + 300_001).toISOString() }),
    ])
      expect(await code(take(bad))).toBe('bad_credentials');
    expect(await code(newSes(undefined).take(Buffer.from(JSON.stringify(signed()))))).toBe('bad_credentials');
    expect(await code(ses.take(Buffer.alloc(0)))).toBe('missing_credentials');
    for (const body of ['{', '[]', '{"Type":"Other"}'])
      expect(await code(ses.take(Buffer.from(body)))).toBe('validation_failed');
    expect(taken).toEqual([]);
  });

  it("[MAIL10] takes a certificate from the host of the topic alone, and Amazon's alone", async () => {
    for (const url of [
      'https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0.pem',
      'https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0.pem',
      'https://evil.example/sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem',
      'http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem',
      'https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-0.pem',
      'https://a@sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem',
      'https://sns.eu-west-1.amazonaws.com/other/SimpleNotificationService-0.pem',
      'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem?x=1',
      'no address',
    ])
      expect([url, await code(take(signed({ SigningCertURL: url })))]).toEqual([url, 'bad_credentials']);
    expect(asked).toEqual([]);
    answer = async () => snsCertificate(keys, 'evil.example');
    expect(await code(take(signed()))).toBe('bad_credentials');
    answer = async () => snsCertificate(keys, 'sns.amazonaws.com', new Date(0), new Date(86_400_000));
    expect(await code(take(signed()))).toBe('bad_credentials');
    answer = async () => 'no certificate';
    expect(await code(take(signed()))).toBe('unavailable');
    answer = async () => Promise.reject(new Error('unreachable'));
    expect(await code(take(signed()))).toBe('unavailable');
    answer = async () => pem;
    expect(await code(take(signed()))).toBe('taken');
  });

  it('[MAIL10] asks Amazon ten times a minute at most, whatever names are sent', async () => {
    answer = async () => Promise.reject(new Error('404'));
    for (let n = 0; n < 30; n += 1)
      expect(await code(take(signed({ SigningCertURL: CERTIFICATE.replace('0123', String(n)) })))).toBe('unavailable');
    expect(asked).toHaveLength(10);
  });

  it('[MAIL10] confirms a subscription at the host of the topic', async () => {
    const url = 'https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=x&Token=abc';
    expect(await take(confirmation(url))).toEqual({ outcome: 'subscribed' });
    expect(asked).toEqual([CERTIFICATE, url]);
    expect(await code(take({ ...confirmation(url), Token: 'other' }))).toBe('bad_credentials');
    for (const bad of ['https://evil.example/', 'http://sns.eu-west-1.amazonaws.com/', 'x'])
      expect(await code(take(confirmation(bad)))).toBe('validation_failed');
    expect(asked).toHaveLength(2);
  });

  it('[MAIL10] says what is no mail, and that mail in S3 is not fetched', async () => {
    const ignored = { outcome: 'ignored', reason: 'not_a_mail' };
    expect(
      await take(signed({ Message: 'Successfully validated SNS topic for Amazon SES event publishing.' })),
    ).toEqual(ignored);
    expect(await take(signed({ Message: '{"notificationType":"Bounce"}' }))).toEqual(ignored);
    const inBucket = mail({ content: undefined }, { type: 'S3' });
    expect(await code(take(signed({ Message: JSON.stringify(inBucket) })))).toBe('validation_failed');
    expect(log).toEqual(['a notification of Amazon SES is without its mail']);
  });
});

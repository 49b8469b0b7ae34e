import { describe, expect, it } from 'vitest';
import { RAW, refusal, takenMail, TO } from '../../../test/taken-mail.ts';
import { Postmark } from './postmark.ts';

const { taken, intake } = takenMail();

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

  it('[MAIL9] may guess the password ten times a minute from one address', async () => {
    const guarded = new Postmark({ login: 'postmark:a-long-password', intake });
    const right = basic('postmark:a-long-password');
    const guesses = await Promise.all(
      Array.from({ length: 10 }, (_, n) => refusal(guarded.authorize(basic(`postmark:${n}`), '192.0.2.2'))),
    );
    expect(new Set(guesses)).toEqual(new Set(['bad_credentials']));
    expect(await refusal(guarded.authorize(right, '192.0.2.2'))).toBe('rate_limited');
    expect(await refusal(guarded.authorize(right, '192.0.2.3'))).toBe('taken');
  });

  it('[MAIL9] delivers a mail raw or parsed, with the same result', async () => {
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

  it('[MAIL5] [MAIL9] recognises automatic mail', async () => {
    await brings({ Headers: [{ Name: 'Auto-Submitted', Value: 'auto-replied' }] });
    await brings({ Headers: [{ Name: 'Return-Path', Value: '<>' }] });
    expect(taken.map(({ kind }) => kind)).toEqual(['automatic', 'automatic']);
  });

  it('[MAIL9] refuses what Postmark does not send', async () => {
    for (const bad of ['', '[]', '{"MessageID":5}', '{"MessageID":"x","Attachments":[{}]}'])
      expect(await refusal(postmark.take(Buffer.from(bad)))).toBe('validation_failed');
  });
});

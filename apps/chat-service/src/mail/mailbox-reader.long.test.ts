import { type ImapServer, startDovecot } from '@chat-realtime/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { MailDelivery } from './mail-intake.ts';
import { MailboxReader } from './mailbox-reader.ts';

/** Over a real IMAP server: reading a mail that is too large to accept. */
let imap: ImapServer;
const taken: { raw: Buffer; delivery: MailDelivery | undefined }[] = [];
beforeAll(async () => {
  imap = await startDovecot();
}, 120_000);
afterAll(() => imap?.stop());

it('[MAIL4] reads only the beginning of a mail that is too large, once, and the others whole', async () => {
  const mail = (name: string, size: number): string =>
    [
      `Message-ID: <${name}@mail.example>`,
      'From: olga@mail.example',
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      'Content-Type: text/plain; charset=utf-8',
      '',
      `The letter ${name}`,
      '--b',
      'Content-Type: video/mp4; name=film.mp4',
      '',
      `${'A'.repeat(998)}\r\n`.repeat(size / 1_000),
      '--b--',
      '',
    ].join('\r\n');
  await imap.deliver(mail('small', 400_000));
  await imap.deliver(mail('large', 27_000_000));
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const intake = {
    take: async (raw: Buffer, delivery?: MailDelivery) => {
      taken.push({ raw, delivery });
      return { outcome: 'duplicate' } as const;
    },
  };
  const reader = new MailboxReader({ url: imap.url, intake, log });
  await reader.poll();
  await reader.poll();
  expect(taken.map(({ raw, delivery }) => [raw.length > 300_000, delivery?.isBeginning])).toEqual([
    [true, false],
    [false, true],
  ]);
  expect(taken[0]?.raw.length).toBeGreaterThan(400_000);
  expect(taken[1]?.raw.length).toBe(262_144);
  expect(taken[1]?.raw.toString()).toContain('The letter large');
}, 120_000);

it('[MAIL12] reads mails that can be processed, behind a mailbox full of others', async () => {
  const mail = (name: string) =>
    [`Message-ID: <${name}@mail.example>`, 'From: olga@mail.example', '', `The letter ${name}`, ''].join('\r\n');
  for (let n = 0; n < 50; n += 1) await imap.deliver(mail(`broken-${n}`));
  await imap.deliver(mail('well'));
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const tried: string[] = [];
  const intake = {
    take: async (raw: Buffer) => {
      const name = /The letter (\S+)/.exec(raw.toString())?.[1] ?? '';
      tried.push(name);
      if (name.startsWith('broken')) throw new Error('a bug');
      return { outcome: 'duplicate' } as const;
    },
  };
  const reader = new MailboxReader({ url: imap.url, intake, log });
  await reader.poll();
  await reader.poll();
  expect([tried.length, tried.at(-1)]).toEqual([51, 'well']);
}, 120_000);

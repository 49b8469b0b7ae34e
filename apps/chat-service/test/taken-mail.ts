import type { MailInboundResponse } from '@chat-realtime/protocol';
import { beforeEach } from 'vitest';
import type { MailDelivery } from '../src/mail/mail-intake.ts';
import { type ReceivedMail, readMail } from '../src/mail/read-mail.ts';

/** A mail that a provider brings, and the address of ours that it went to. */
export const TO = 'support+c1-0123456789abcdef0123@shop.example';
export const RAW = [
  'Message-ID: <one@mail.example>',
  'From: Olga <olga@mail.example>',
  'To: team@shop.example',
  'Subject: Re: chat',
  'Content-Type: text/plain; charset=utf-8',
  '',
  'Спасибо!',
].join('\r\n');
/** Seconds; the time at which providers sign. */
export const NOW = 1_800_000_000;

/** An intake that reads each mail, and keeps what it was brought in one test. */
export function takenMail() {
  const taken: (ReceivedMail & { readonly providerId: string | undefined })[] = [];
  beforeEach(() => {
    taken.length = 0;
  });
  const intake = {
    async take(raw: Buffer, { recipients = [], providerId, admit }: MailDelivery = {}): Promise<MailInboundResponse> {
      const mail = await readMail(raw, recipients);
      await admit?.(mail.key);
      taken.push({ ...mail, providerId });
      return { outcome: 'ignored', reason: 'empty' };
    },
  };
  return { taken, intake };
}

/** The code with which it was refused, or `taken`. */
export const refusal = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'taken',
    (error) => error.code,
  );

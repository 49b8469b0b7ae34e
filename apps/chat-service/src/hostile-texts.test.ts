import {
  callbackRequestSchema,
  ChatError,
  createSessionRequestSchema,
  postMessageRequestSchema,
} from '@chat-realtime/protocol';
import { hostileTexts, slowest } from '@chat-realtime/testkit';
import { describe, expect, it } from 'vitest';
import { contentDisposition, fileNameFromHeader, sanitizeFileName } from './attachments/file-name.ts';
import { SNIFF_BYTES, sniff } from './attachments/sniff.ts';
import { parsePhone } from './callbacks/phone.ts';

/** A refusal is accepted too, as long as it comes at once. */
const answered = (parse: (text: string) => unknown) => (text: string) => {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof ChatError) return null;
    throw error;
  }
};

describe('parsing a text from outside takes time proportional to its length', () => {
  it.each([
    ['message', 10_000, (text: string) => postMessageRequestSchema.safeParse({ body: text, client_message_id: text })],
    [
      'name, address and page of a visitor',
      10_000,
      (text: string) =>
        createSessionRequestSchema.safeParse({ name: text, email: text, phone: text, page_url: text, locale: text }),
    ],
    ['callback request', 10_000, (text: string) => callbackRequestSchema.safeParse({ phone: text, comment: text })],
    ['phone number', 10_000, answered((text) => parsePhone(text, 'RU'))],
    ['name of a file', 16_000, answered((text) => contentDisposition('attachment', sanitizeFileName(text)))],
    ['header with the name of a file', 16_000, answered(fileNameFromHeader)],
  ])('%s', (_what, length, parse) => {
    const { ms, text } = slowest(length, parse);
    expect(ms, text).toBeLessThan(60);
  });

  it('first bytes of a file', async () => {
    for (const text of hostileTexts(SNIFF_BYTES)) {
      let best = Number.POSITIVE_INFINITY;
      for (let turn = 0; turn < 3 && best > 5; turn += 1) {
        const before = process.cpuUsage();
        await sniff(Buffer.from(text), false);
        const { user, system } = process.cpuUsage(before);
        best = Math.min(best, (user + system) / 1_000);
      }
      expect(best, text.slice(0, 24)).toBeLessThan(60);
    }
  });
});

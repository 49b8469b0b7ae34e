import {
  callbackRequestSchema,
  ChatError,
  createSessionRequestSchema,
  postMessageRequestSchema,
} from '@chat-realtime/protocol';
import { slowest } from '@chat-realtime/testkit';
import { describe, expect, it } from 'vitest';
import { contentDisposition, fileNameFromHeader, sanitizeFileName } from './attachments/file-name.ts';
import { SNIFF_BYTES, sniffMime } from './attachments/sniff.ts';
import { parsePhone } from './callbacks/phone.ts';

/** A refusal is an answer too, as long as it comes at once. */
const answered = (parse: (text: string) => unknown) => (text: string) => {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof ChatError) return null;
    throw error;
  }
};

describe('what reads a text of an outsider costs no more than its length', () => {
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
    ['first bytes of a file', SNIFF_BYTES, (text: string) => sniffMime(Buffer.from(text), false)],
  ])('%s', (_what, length, parse) => {
    const { ms, text } = slowest(length, parse);
    expect(ms, text).toBeLessThan(60);
  });
});

import { createHash, createHmac } from 'node:crypto';
import type { MailInboundResponse } from '@chat-realtime/protocol';
import { secretsEqual } from '@chat-realtime/service-kit';
import type { MailIntake } from '../mail-intake.ts';
import { composeLetter, type LetterFile, type LetterHeader } from './compose-letter.ts';
import { readForm, type ReceivedForm } from './form.ts';
import type { MailTokens } from './mail-tokens.ts';
import { badCredentials, invalidMail, missingCredentials } from './refusals.ts';

/** A route tries again for eight hours; older than this nobody honest brings it. */
const MAX_AGE_SECONDS = 9 * 3_600;
const MAX_AHEAD_SECONDS = 300;
const FILES_MAX = 50;

export interface MailgunParts {
  /** The HTTP webhook signing key; undefined: no mail of Mailgun is taken. */
  readonly signingKey: string | undefined;
  readonly intake: Pick<MailIntake, 'take'>;
  readonly tokens: MailTokens;
  /** Unix seconds. */
  readonly now: () => number;
}

/** Mail forwarded by a Mailgun route: raw (`body-mime`, when the address ends in `mime`), or parsed. */
export class Mailgun {
  readonly #parts: MailgunParts;

  constructor(parts: MailgunParts) {
    this.#parts = parts;
  }

  /** Nobody can sign where there is no key: no byte of a body is read then. @throws ChatError `bad_credentials` */
  requireKey(): void {
    if (this.#parts.signingKey === undefined) throw badCredentials('no mail of Mailgun is taken here');
  }

  /**
   * @throws ChatError `missing_credentials`; `bad_credentials` for a wrong signature, one of another time, or a token that
   * came with another mail before; `validation_failed` for a form that holds no mail
   */
  async take(contentType: string | undefined, body: Buffer): Promise<MailInboundResponse> {
    const { intake, tokens } = this.#parts;
    const form = await readForm(contentType, body);
    const token = this.#tokenOf(form);
    const raw = await rawOf(form, token);
    const recipients = form.texts('recipient').flatMap((list) => list.split(','));
    return intake.take(raw, {
      recipients,
      // The signature is over token and time alone: a token opens the door for one mail, and again for that one.
      admit: async (key) => {
        if (!(await tokens.fits(token, key))) throw badCredentials('the token came with another mail before');
      },
    });
  }

  #tokenOf(form: ReceivedForm): string {
    const [timestamp] = form.texts('timestamp');
    const [token] = form.texts('token');
    const [signature] = form.texts('signature');
    if (timestamp === undefined || token === undefined || signature === undefined)
      throw missingCredentials('timestamp, token or signature');
    const { signingKey, now } = this.#parts;
    const age = now() - Number(timestamp);
    const isOfNow = /^\d{1,12}$/.test(timestamp) && age <= MAX_AGE_SECONDS && age >= -MAX_AHEAD_SECONDS;
    const isWellFormed = /^[0-9a-f]{64}$/.test(signature) && token.length >= 16 && token.length <= 200;
    if (signingKey === undefined || !isOfNow || !isWellFormed)
      throw badCredentials('the signature is wrong or too old');
    const expected = createHmac('sha256', signingKey)
      .update(timestamp + token)
      .digest('hex');
    if (!secretsEqual(signature, expected)) throw badCredentials('the signature is wrong or too old');
    return token;
  }
}

async function rawOf(form: ReceivedForm, token: string): Promise<Buffer> {
  const mime = form.bytes('body-mime');
  if (mime !== undefined) return mime;
  const headers = headersOf(form);
  return composeLetter({
    headers,
    fallbackId: `${createHash('sha256').update(token).digest('hex').slice(0, 32)}@mailgun.invalid`,
    text: form.texts('body-plain')[0],
    html: form.texts('body-html')[0],
    files: filesOf(form),
  });
}

/** From `message-headers`, a list of pairs; missing ones come from the other fields. */
function headersOf(form: ReceivedForm): LetterHeader[] {
  const [given] = form.texts('message-headers');
  if (given === undefined) throw invalidMail('message-headers', 'or body-mime is needed');
  const headers = pairsOf(given);
  const has = (name: string): boolean => headers.some((header) => header.name.toLowerCase() === name);
  for (const name of ['from', 'subject'])
    if (!has(name)) headers.push(...form.texts(name).map((value) => ({ name, value })));
  if (!has('return-path'))
    headers.push(...form.texts('sender').map((sender) => ({ name: 'Return-Path', value: `<${sender}>` })));
  return headers;
}

function pairsOf(json: string): LetterHeader[] {
  const list = parsed(json, 'message-headers');
  if (!Array.isArray(list)) throw invalidMail('message-headers', 'must be a list of pairs');
  return list.flatMap((pair: unknown) => {
    if (!Array.isArray(pair)) return [];
    const [name, value]: readonly unknown[] = pair as readonly unknown[];
    return typeof name === 'string' && typeof value === 'string' ? [{ name, value }] : [];
  });
}

function parsed(json: string, path: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw invalidMail(path, 'must be JSON', error);
  }
}

function filesOf(form: ReceivedForm): LetterFile[] {
  const ids = contentIds(form);
  const files: LetterFile[] = [];
  for (const { field, name, contentType, content } of form.files) {
    if (!/^attachment-\d{1,3}$/.test(field) || files.length >= FILES_MAX) continue;
    const type = contentType === '' ? 'application/octet-stream' : contentType;
    files.push({ name, contentType: type, content, contentId: ids.get(field) });
  }
  return files;
}

/** `content-id-map`: which files the HTML shows, by `<id>`. */
function contentIds(form: ReceivedForm): Map<string, string> {
  const [json] = form.texts('content-id-map');
  const map = json === undefined ? {} : parsed(json, 'content-id-map');
  const ids = new Map<string, string>();
  if (typeof map === 'object' && map !== null)
    for (const [id, field] of Object.entries(map))
      if (typeof field === 'string') ids.set(field, id.replaceAll(/^<|>$/g, ''));
  return ids;
}

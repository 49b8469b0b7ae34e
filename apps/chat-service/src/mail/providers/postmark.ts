import { createHash } from 'node:crypto';
import type { MailInboundResponse } from '@chat-realtime/protocol';
import { enforceRate, RateLimiter, secretsEqual } from '@chat-realtime/service-kit';
import { z } from 'zod';
import type { MailIntake } from '../mail-intake.ts';
import { composeLetter } from './compose-letter.ts';
import { badCredentials, invalidMail, missingCredentials } from './refusals.ts';

const FILES_MAX = 50;

const text = z.string().nullish();
const inboundSchema = z.object({
  MessageID: z.string().min(1).max(200),
  RawEmail: text,
  From: text,
  To: text,
  Cc: text,
  Subject: text,
  OriginalRecipient: text,
  TextBody: text,
  HtmlBody: text,
  Headers: z.array(z.object({ Name: z.string(), Value: z.string() })).nullish(),
  Attachments: z
    .array(z.object({ Name: z.string(), Content: z.string(), ContentType: text, ContentID: text }))
    .nullish(),
});
type Inbound = z.infer<typeof inboundSchema>;

export interface PostmarkParts {
  /** `user:password`, as in the address configured at Postmark; undefined: no mail from Postmark is accepted. */
  readonly login: string | undefined;
  readonly intake: Pick<MailIntake, 'take'>;
}

/** Wrong passwords of one address. */
const WRONG_LOGINS = 10;
const MINUTE = 60;

/** Postmark's inbound webhook: JSON with the parsed mail, and with the raw one if the server is configured so. */
export class Postmark {
  readonly #parts: PostmarkParts;
  readonly #wrong = new RateLimiter(WRONG_LOGINS, MINUTE);

  constructor(parts: PostmarkParts) {
    this.#parts = parts;
  }

  /**
   * Known before a byte of the body is read.
   * @param address whose wrong passwords are counted together, as `rateLimitKey` makes it
   * @throws ChatError `missing_credentials`, `bad_credentials`, `rate_limited` after ten wrong ones in a minute
   */
  async authorize(authorization: string | undefined, address: string): Promise<void> {
    const [, encoded] = /^basic +([A-Za-z0-9+/]{1,1000}={0,2})$/i.exec(authorization?.trim() ?? '') ?? [];
    if (authorization === undefined) throw missingCredentials('Authorization');
    const { login } = this.#parts;
    if (!(await this.#wrong.check(address)).ok) await enforceRate(this.#wrong, address);
    const given = Buffer.from(encoded ?? '', 'base64').toString('utf8');
    if (login !== undefined && secretsEqual(given, login)) return;
    await this.#wrong.consume(address);
    throw badCredentials('the user or the password is wrong');
  }

  /** @throws ChatError `malformed_request`, `validation_failed` */
  async take(body: Buffer): Promise<MailInboundResponse> {
    const inbound = inboundOf(body);
    const { OriginalRecipient: recipient, MessageID: id } = inbound;
    const raw = inbound.RawEmail ? Buffer.from(inbound.RawEmail) : await composed(inbound);
    return this.#parts.intake.take(raw, {
      recipients: recipient ? [recipient] : [],
      providerId: `postmark\n${id}`,
    });
  }
}

function inboundOf(body: Buffer): Inbound {
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw invalidMail('body', 'must be JSON', error);
  }
  const { data, error } = inboundSchema.safeParse(json);
  if (data !== undefined) return data;
  throw invalidMail(error.issues[0]?.path.join('.') ?? 'body', 'is not as Postmark sends it', error);
}

function composed(inbound: Inbound): Promise<Buffer> {
  const { From, To, Cc, Subject } = inbound;
  const beside = Object.entries({ From, To, Cc, Subject }).flatMap(([name, value]) => (value ? [{ name, value }] : []));
  return composeLetter({
    headers: [...beside, ...(inbound.Headers ?? []).map(({ Name: name, Value: value }) => ({ name, value }))],
    fallbackId: `${createHash('sha256').update(inbound.MessageID).digest('hex').slice(0, 32)}@postmark.invalid`,
    text: inbound.TextBody ?? undefined,
    html: inbound.HtmlBody ? inbound.HtmlBody : undefined,
    files: (inbound.Attachments ?? []).slice(0, FILES_MAX).map((file) => ({
      name: file.Name,
      contentType: file.ContentType ? file.ContentType : 'application/octet-stream',
      content: Buffer.from(file.Content, 'base64'),
      contentId: file.ContentID ? file.ContentID.replace(/^cid:/, '').replaceAll(/^<|>$/g, '') : undefined,
    })),
  });
}

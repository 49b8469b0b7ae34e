import { ChatError, type MailInboundResponse } from '@chat-realtime/protocol';
import { z } from 'zod';
import type { ChatLog } from '../../ports.ts';
import type { MailIntake } from '../mail-intake.ts';
import { badCredentials, invalidMail, missingCredentials } from './refusals.ts';
import { SnsCertificates } from './sns-certificates.ts';
import { isSignedBy, parseSnsMessage, type SnsMessage } from './sns-message.ts';

/** SES puts mails of at most 150 KB into a notification, SNS accepts 256 KB; plus JSON escapes. */
export const SNS_MAX_BYTES = 1_048_576;
/** SNS tries again for an hour. */
const MAX_AGE_MS = 2 * 3_600_000;
const MAX_AHEAD_MS = 300_000;
const FETCH_MS = 5_000;
const FETCHED_MAX = 65_536;

const receivedSchema = z.object({
  notificationType: z.literal('Received'),
  content: z.string().optional(),
  mail: z.object({ messageId: z.string().min(1).max(200) }),
  receipt: z.object({
    recipients: z.array(z.string()).max(1_000).default([]),
    action: z.object({ type: z.string(), encoding: z.string().optional() }),
  }),
});

export interface SesParts {
  /** `arn:aws:sns:<region>:<account>:<name>`; undefined: no mail from Amazon SES is accepted. */
  readonly topicArn: string | undefined;
  readonly intake: Pick<MailIntake, 'take'>;
  readonly log: ChatLog;
  /** Requests an address of Amazon SNS; replaceable for tests. */
  readonly fetchText?: (url: string) => Promise<string>;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** Mail that Amazon SES received, through SNS: it is in the notification, nothing is fetched from S3. */
export class Ses {
  readonly #parts: SesParts;
  readonly #host: string;
  readonly #fetchText: (url: string) => Promise<string>;
  readonly #certificates: SnsCertificates;

  constructor(parts: SesParts) {
    this.#parts = parts;
    this.#host = `sns.${parts.topicArn?.split(':')[3] ?? ''}.amazonaws.com`;
    this.#fetchText = parts.fetchText ?? fetchText;
    const clock = (): number => performance.now();
    this.#certificates = new SnsCertificates({
      host: this.#host,
      fetchText: this.#fetchText,
      now: clock,
      wallNow: parts.now,
    });
  }

  /**
   * Without a topic every notification counts as another topic's, and nothing is read. @throws ChatError
   * `bad_credentials`
   */
  requireTopic(): void {
    if (this.#parts.topicArn === undefined) throw badCredentials('no notification of Amazon SNS is taken here');
  }

  /**
   * @throws ChatError `bad_credentials` for another topic, a wrong signature or one of another time; `validation_failed`
   * for a notification without the mail; `unavailable` where Amazon cannot be asked
   */
  async take(body: Buffer): Promise<MailInboundResponse> {
    if (body.length === 0) throw missingCredentials('the signed notification');
    const message = parseSnsMessage(body);
    await this.#check(message);
    switch (message.Type) {
      case 'SubscriptionConfirmation':
        return this.#subscribe(message.SubscribeURL);
      case 'UnsubscribeConfirmation':
        this.#parts.log.warn({}, 'Amazon SNS delivers no more mail: the subscription was ended');
        return { outcome: 'ignored', reason: 'not_a_mail' };
      case 'Notification':
        return this.#mail(message);
    }
  }

  async #check(message: SnsMessage): Promise<void> {
    const { topicArn, now } = this.#parts;
    const age = now() - Date.parse(message.Timestamp);
    if (topicArn === undefined || message.TopicArn !== topicArn)
      throw badCredentials('the notification is of another topic');
    if (age > MAX_AGE_MS || age < -MAX_AHEAD_MS) throw badCredentials('the signature is wrong or too old');
    const key = await this.#certificates.keyAt(message.SigningCertURL);
    if (!isSignedBy(message, key)) throw badCredentials('the signature is wrong or too old');
  }

  async #subscribe(address: string): Promise<MailInboundResponse> {
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (url === undefined || url.protocol !== 'https:' || url.host !== this.#host)
      throw invalidMail('SubscribeURL', 'is not of Amazon SNS in the region of the topic');
    await this.#fetchText(url.href).catch((error: unknown) => {
      throw new ChatError('unavailable', 'the subscription cannot be confirmed', {
        cause: error,
        retryAfterSeconds: 30,
      });
    });
    this.#parts.log.info({}, 'Amazon SNS delivers mail from now on: the subscription is confirmed');
    return { outcome: 'subscribed' };
  }

  #mail({ Message: text }: SnsMessage): Promise<MailInboundResponse> | MailInboundResponse {
    const received = receivedOf(text);
    // Amazon's own greeting to a new topic, and its reports about mail that we sent.
    if (received === null) return { outcome: 'ignored', reason: 'not_a_mail' };
    const { content, mail, receipt } = received;
    if (content === undefined) {
      this.#parts.log.warn({ action: receipt.action.type }, 'a notification of Amazon SES is without its mail');
      throw invalidMail('Message.content', 'must be there: the rule needs an SNS action; mail in S3 is not fetched');
    }
    const encoding = receipt.action.encoding?.toUpperCase() === 'BASE64' ? 'base64' : 'utf8';
    return this.#parts.intake.take(Buffer.from(content, encoding), {
      recipients: receipt.recipients,
      providerId: `ses\n${mail.messageId}`,
    });
  }
}

function receivedOf(text: string): z.infer<typeof receivedSchema> | null {
  if (!text.startsWith('{')) return null;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw invalidMail('Message', 'must be JSON', error);
  }
  if (typeof json !== 'object' || json === null || !('notificationType' in json)) return null;
  if (json.notificationType !== 'Received') return null;
  const { data, error } = receivedSchema.safeParse(json);
  if (data === undefined) throw invalidMail('Message', 'is not as Amazon SES sends it', error);
  return data;
}

async function fetchText(url: string): Promise<string> {
  const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(FETCH_MS) });
  if (!answer.ok || answer.body === null) {
    await answer.body?.cancel();
    throw new Error(`Amazon SNS answered ${answer.status}`);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  const stream: ReadableStream<Uint8Array> = answer.body;
  const reader = stream.getReader();
  for (let { value } = await reader.read(); value !== undefined; { value } = await reader.read()) {
    size += value.length;
    if (size > FETCHED_MAX) {
      await reader.cancel();
      throw new Error('Amazon SNS answered more than a certificate');
    }
    chunks.push(value);
  }
  return Buffer.concat(chunks).toString('utf8');
}

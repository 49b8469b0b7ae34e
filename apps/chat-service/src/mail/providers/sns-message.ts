import { type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';
import { invalidMail } from './refusals.ts';

const common = {
  MessageId: z.string().min(1).max(200),
  TopicArn: z.string().max(300),
  Message: z.string(),
  Timestamp: z.iso.datetime(),
  SignatureVersion: z.enum(['1', '2']),
  Signature: z.string().max(2_000),
  SigningCertURL: z.string().max(500),
};
const confirmation = { ...common, Token: z.string().max(2_000), SubscribeURL: z.string().max(4_000) };
const snsMessageSchema = z.discriminatedUnion('Type', [
  z.object({ Type: z.literal('Notification'), Subject: z.string().nullish(), ...common }),
  z.object({ Type: z.literal('SubscriptionConfirmation'), ...confirmation }),
  z.object({ Type: z.literal('UnsubscribeConfirmation'), ...confirmation }),
]);
export type SnsMessage = z.infer<typeof snsMessageSchema>;

/** @throws ChatError `validation_failed` */
export function parseSnsMessage(body: Buffer): SnsMessage {
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw invalidMail('body', 'must be JSON', error);
  }
  const { data, error } = snsMessageSchema.safeParse(json);
  if (data !== undefined) return data;
  throw invalidMail(error.issues[0]?.path.join('.') ?? 'body', 'is not as Amazon SNS sends it', error);
}

/** Names and values of what is signed, in the order of the names, each on a line of its own. */
function signedTextOf(message: SnsMessage): string {
  const fields: Record<string, string | null | undefined> =
    message.Type === 'Notification'
      ? {
          Message: message.Message,
          MessageId: message.MessageId,
          Subject: message.Subject,
          Timestamp: message.Timestamp,
          TopicArn: message.TopicArn,
          Type: message.Type,
        }
      : {
          Message: message.Message,
          MessageId: message.MessageId,
          SubscribeURL: message.SubscribeURL,
          Timestamp: message.Timestamp,
          Token: message.Token,
          TopicArn: message.TopicArn,
          Type: message.Type,
        };
  return Object.entries(fields)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${name}\n${value}\n`)
    .join('');
}

export function isSignedBy(message: SnsMessage, key: KeyObject): boolean {
  const hash = message.SignatureVersion === '1' ? 'RSA-SHA1' : 'RSA-SHA256';
  return verify(hash, Buffer.from(signedTextOf(message)), key, Buffer.from(message.Signature, 'base64'));
}

import { generateKeyPairSync, sign } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { snsCertificate } from '../../../test/sns-certificate.ts';
import { NOW, RAW, refusal, takenMail, TO } from '../../../test/taken-mail.ts';
import { Ses } from './ses.ts';

const { taken, intake } = takenMail();

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
    // In the order of Amazon's documentation, independent of our own code.
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

  it('[MAIL10] delivers the mail in the notification, plain or in base64, signed in either version', async () => {
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
    // One certificate, fetched once.
    expect(asked).toEqual([CERTIFICATE]);
  });

  it('[MAIL10] is refused with another key or topic, an outdated time, or a changed body', async () => {
    const other = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    for (const bad of [
      signed({}, other.privateKey),
      { ...signed(), Message: JSON.stringify(mail({ content: 'forged' })) },
      { ...signed(), Signature: '' },
      signed({ TopicArn: `${TOPIC}2` }),
      signed({ Timestamp: new Date(NOW * 1_000 - 7_200_001).toISOString() }),
      signed({ Timestamp: new Date(NOW * 1_000 + 300_001).toISOString() }),
    ])
      expect(await refusal(take(bad))).toBe('bad_credentials');
    expect(await refusal(newSes(undefined).take(Buffer.from(JSON.stringify(signed()))))).toBe('bad_credentials');
    expect(await refusal(ses.take(Buffer.alloc(0)))).toBe('missing_credentials');
    for (const body of ['{', '[]', '{"Type":"Other"}'])
      expect(await refusal(ses.take(Buffer.from(body)))).toBe('validation_failed');
    expect(taken).toEqual([]);
  });

  it('[MAIL10] accepts a certificate only from the host of the topic, and only one of Amazon', async () => {
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
      expect([url, await refusal(take(signed({ SigningCertURL: url })))]).toEqual([url, 'bad_credentials']);
    expect(asked).toEqual([]);
    answer = async () => snsCertificate(keys, 'evil.example');
    expect(await refusal(take(signed()))).toBe('bad_credentials');
    answer = async () => snsCertificate(keys, 'sns.amazonaws.com', new Date(0), new Date(86_400_000));
    expect(await refusal(take(signed()))).toBe('bad_credentials');
    answer = async () => 'no certificate';
    expect(await refusal(take(signed()))).toBe('unavailable');
    answer = async () => Promise.reject(new Error('unreachable'));
    expect(await refusal(take(signed()))).toBe('unavailable');
    answer = async () => pem;
    expect(await refusal(take(signed()))).toBe('taken');
  });

  it('[MAIL10] fetches at most ten certificates a minute, whatever names are sent', async () => {
    answer = async () => Promise.reject(new Error('404'));
    for (let n = 0; n < 30; n += 1)
      expect(await refusal(take(signed({ SigningCertURL: CERTIFICATE.replace('0123', String(n)) })))).toBe(
        'unavailable',
      );
    expect(asked).toHaveLength(10);
  });

  it('[MAIL10] confirms a subscription at the host of the topic', async () => {
    const url = 'https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=x&Token=abc';
    expect(await take(confirmation(url))).toEqual({ outcome: 'subscribed' });
    expect(asked).toEqual([CERTIFICATE, url]);
    expect(await refusal(take({ ...confirmation(url), Token: 'other' }))).toBe('bad_credentials');
    for (const bad of ['https://evil.example/', 'http://sns.eu-west-1.amazonaws.com/', 'x'])
      expect(await refusal(take(confirmation(bad)))).toBe('validation_failed');
    expect(asked).toHaveLength(2);
  });

  it('[MAIL10] reports what is no mail, and that mail stored in S3 is not fetched', async () => {
    const ignored = { outcome: 'ignored', reason: 'not_a_mail' };
    expect(
      await take(signed({ Message: 'Successfully validated SNS topic for Amazon SES event publishing.' })),
    ).toEqual(ignored);
    expect(await take(signed({ Message: '{"notificationType":"Bounce"}' }))).toEqual(ignored);
    const inBucket = mail({ content: undefined }, { type: 'S3' });
    expect(await refusal(take(signed({ Message: JSON.stringify(inBucket) })))).toBe('validation_failed');
    expect(log).toEqual(['a notification of Amazon SES is without its mail']);
  });
});

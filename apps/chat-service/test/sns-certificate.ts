import { type KeyPairKeyObjectResult, sign } from 'node:crypto';

/** DER: tag, length, content. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const SHA256_WITH_RSA = der(0x30, Buffer.from('06092a864886f70d01010b0500', 'hex'));
const utcTime = (at: Date) => der(0x17, Buffer.from(`${at.toISOString().replaceAll(/[-:T]/g, '').slice(2, 14)}Z`));
const named = (name: string) =>
  der(0x30, der(0x31, der(0x30, Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from(name)))));

/** A certificate that signs itself, as PEM: what Amazon SNS has at its address, with a key of ours. */
export function snsCertificate(
  keys: KeyPairKeyObjectResult,
  commonName: string,
  from = new Date('2020-01-01'),
  to = new Date('2049-01-01'),
): string {
  const subject = named(commonName);
  const body = der(
    0x30,
    der(0x02, Buffer.from([1])),
    SHA256_WITH_RSA,
    subject,
    der(0x30, utcTime(from), utcTime(to)),
    subject,
    keys.publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = der(0x03, Buffer.from([0]), sign('RSA-SHA256', body, keys.privateKey));
  const lines =
    der(0x30, body, SHA256_WITH_RSA, signature)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

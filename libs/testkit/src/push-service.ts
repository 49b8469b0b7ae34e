import { createDecipheriv, createECDH, createHmac, createPublicKey, hkdfSync, randomBytes, verify } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { freePort } from './ports.ts';

export interface PushedMessage {
  readonly device: string;
  /** Decrypted as a browser does it. */
  readonly payload: string;
  readonly topic: string | undefined;
  readonly ttl: number;
}

interface Device {
  readonly name: string;
  readonly ecdh: ReturnType<typeof createECDH>;
  readonly auth: Buffer;
}

/**
 * A push service and the browsers behind it: verifies the sender (RFC 8292) and decrypts the message (RFC 8291, 8188).
 */
export class PushService {
  readonly messages: PushedMessage[] = [];
  /** Statuses of the next answers; then 201. */
  readonly answers: number[] = [];
  readonly host: string;
  readonly #server: Server;
  readonly #devices = new Map<string, Device>();

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.host = `127.0.0.1:${port}`;
  }

  static async start(): Promise<PushService> {
    const port = await freePort();
    const server = createServer();
    const service = new PushService(server, port);
    server.on('request', (request, response) => {
      service.#take(request).then(
        (status) => response.writeHead(status).end(),
        (error: unknown) => response.writeHead(400).end(error instanceof Error ? error.message : ''),
      );
    });
    await new Promise<void>((resolve) => {
      server.listen(port, '127.0.0.1', resolve);
    });
    return service;
  }

  /** The result of `pushManager.subscribe`. */
  subscribe(name: string): { endpoint: string; keys: { p256dh: string; auth: string } } {
    const ecdh = createECDH('prime256v1');
    const auth = randomBytes(16);
    const id = randomBytes(12).toString('hex');
    const p256dh = ecdh.generateKeys('base64url');
    this.#devices.set(`/send/${id}`, { name, ecdh, auth });
    return { endpoint: `http://${this.host}/send/${id}`, keys: { p256dh, auth: auth.toString('base64url') } };
  }

  /** The browser has unsubscribed: the endpoint is gone. */
  unsubscribe(endpoint: string): void {
    this.#devices.delete(new URL(endpoint).pathname);
  }

  to(name: string): readonly PushedMessage[] {
    return this.messages.filter(({ device }) => device === name);
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  async #take(request: IncomingMessage): Promise<number> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
    const planned = this.answers.shift();
    if (planned !== undefined && planned >= 300) return planned;
    const device = this.#devices.get(request.url ?? '');
    if (device === undefined) return 410;
    if (!isVapid(request.headers.authorization ?? '', `http://${this.host}`)) return 403;
    if (request.headers['content-encoding'] !== 'aes128gcm') return 415;
    const topic = request.headers['topic'];
    this.messages.push({
      device: device.name,
      payload: decrypt(Buffer.concat(chunks), device),
      topic: typeof topic === 'string' ? topic : undefined,
      ttl: Number(request.headers['ttl']),
    });
    return planned ?? 201;
  }
}

function isVapid(header: string, audience: string): boolean {
  const [, jwt = '', key = ''] = /^vapid t=([\w.-]+), ?k=([\w-]+)$/.exec(header) ?? [];
  const [head = '', claims = '', signature = ''] = jwt.split('.');
  const point = Buffer.from(key, 'base64url');
  if (point.length !== 65) return false;
  const publicKey = createPublicKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    },
  });
  const isSigned = verify(
    'sha256',
    Buffer.from(`${head}.${claims}`),
    { key: publicKey, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  );
  const said: unknown = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8'));
  if (typeof said !== 'object' || said === null || !('aud' in said) || !('exp' in said)) return false;
  return isSigned && said.aud === audience && Number(said.exp) > Date.now() / 1_000;
}

function decrypt(body: Buffer, { ecdh, auth }: Device): string {
  const salt = body.subarray(0, 16);
  const keyLength = body.readUInt8(20);
  const senderKey = body.subarray(21, 21 + keyLength);
  const secret = ecdh.computeSecret(senderKey);
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), ecdh.getPublicKey(), senderKey]);
  const prk = createHmac('sha256', auth).update(secret).digest();
  const ikm = createHmac('sha256', prk)
    .update(info)
    .update(Buffer.from([1]))
    .digest();
  const derive = (label: string, length: number): Buffer =>
    Buffer.from(hkdfSync('sha256', ikm, salt, Buffer.from(`Content-Encoding: ${label}\0`), length));
  const decipher = createDecipheriv('aes-128-gcm', derive('aes128gcm', 16), derive('nonce', 12));
  const sealed = body.subarray(21 + keyLength);
  decipher.setAuthTag(sealed.subarray(-16));
  const padded = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
  const end = padded.lastIndexOf(2);
  return padded.subarray(0, end).toString('utf8');
}

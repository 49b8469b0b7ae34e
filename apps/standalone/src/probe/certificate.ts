import { connect } from 'node:tls';

const CONNECT_MS = 5_000;
const DEFAULT_PORT = 443;

/**
 * How long the certificate of an https address holds, in seconds; null for http. A certificate that is refused is
 * refused here too.
 */
export function certificateHolds(url: string, now: () => number = Date.now): Promise<number | null> {
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== 'https:') return Promise.resolve(null);
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: hostname,
      port: Number(port || DEFAULT_PORT),
      servername: hostname,
      rejectUnauthorized: false,
    });
    socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error('no answer')));
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      const { valid_to: validTo } = socket.getPeerCertificate();
      socket.destroy();
      const ends = Date.parse(validTo);
      if (Number.isNaN(ends)) reject(new Error('the certificate names no end'));
      else resolve((ends - now()) / 1_000);
    });
  });
}

import net from 'node:net';

/** True when the answer is there as a whole, so that nobody waits for a connection that is kept open. */
function isComplete(response: string): boolean {
  const end = response.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const head = response.slice(0, end);
  if (/^HTTP\/1\.[01] 101/.test(head)) return true;
  const length = /^content-length: *(\d+)/im.exec(head);
  return length !== null && response.length >= end + 4 + Number(length[1]);
}

/** Sends bytes as they are over TCP and returns the answer, or what came of it until the end or the time is up. */
export function rawHttp(baseUrl: string, payload: string | Buffer, timeoutMs = 3_000): Promise<string> {
  const url = new URL(baseUrl);
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: url.hostname, port: Number(url.port) });
    const chunks: Buffer[] = [];
    const finish = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(Buffer.concat(chunks).toString('latin1'));
    };
    const timer = setTimeout(finish, timeoutMs);
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      if (isComplete(Buffer.concat(chunks).toString('latin1'))) finish();
    });
    socket.on('end', finish);
    socket.on('close', finish);
    socket.on('error', (error) => {
      // A reset after an answer is the server's right; without any answer it is a finding.
      if (chunks.length > 0) finish();
      else {
        clearTimeout(timer);
        reject(error);
      }
    });
    socket.on('connect', () => socket.write(payload));
  });
}

export function statusOf(response: string): number {
  const match = /^HTTP\/1\.[01] (\d{3})/.exec(response);
  return match === null ? 0 : Number(match[1]);
}

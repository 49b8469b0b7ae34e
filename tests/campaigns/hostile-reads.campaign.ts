// What clients that ask for much and read nothing cost: memory of chat-service and gateway, and a bystander's connect. Two minutes.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { Customer, HttpClient, type Stack, sleep, startStack, WebSocketClient } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const SESSIONS = 20;
const TABS = 5;
/** The longest message there may be, in characters of four bytes: about 8 MB a session. */
const BODY = '\u{1F6D2}'.repeat(10_000);
const MESSAGES = 200;
const UNREAD_ANSWERS = 60;
const MB = 1_048_576;
/** What one process may grow by. The experiments that led to the bounds saw 2,000 MB. */
const GROWTH_MB = 400;
/** A bystander is let in meanwhile, if more slowly than on the machine at rest. */
const BYSTANDER_MS = 2_000;
const BYSTANDER_RATIO = 5;

async function residentMb(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return (Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1_024) / MB;
}

describe('clients that request much and read nothing', () => {
  let stack: Stack;
  let http: HttpClient;
  let customers: Customer[];
  const sockets: Socket[] = [];

  beforeAll(async () => {
    const off = { RATE_CONNECT_PER_10S: '0', RATE_SESSIONS_PER_MINUTE: '0', RATE_MESSAGES_PER_MINUTE: '0' };
    stack = await startStack({ env: { ...off, LOG_LEVEL: 'warn' } });
    http = new HttpClient(stack.url);
    customers = await Promise.all(Array.from({ length: SESSIONS }, () => Customer.create(http)));
    for (const customer of customers) {
      for (let sent = 0; sent < MESSAGES; sent += 10)
        await Promise.all(
          Array.from({ length: 10 }, () =>
            http.request('POST', `/chat/session/${customer.sessionId}/messages`, {
              token: customer.token,
              json: { body: BODY, client_message_id: randomUUID() },
            }),
          ),
        );
    }
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    http.close();
    await stack.stop();
  });

  /** A request by hand whose answer nobody reads. */
  const unread = (path: string, headers: readonly string[]): void => {
    const { hostname, port } = new URL(stack.url);
    const socket = connect(Number(port), hostname, () =>
      socket.write([`GET ${path} HTTP/1.1`, `Host: ${hostname}:${port}`, ...headers, '', ''].join('\r\n')),
    );
    socket.on('error', () => undefined);
    socket.pause();
    sockets.push(socket);
  };

  const bystander = async (): Promise<number> => {
    const from = performance.now();
    const someone = await Customer.create(http);
    const tab = await WebSocketClient.ready(stack.url, {
      query: { session: someone.sessionId },
      protocols: ['chat.v1', `bearer.${someone.token}`],
    });
    await tab.close();
    return performance.now() - from;
  };

  const watched = async (what: string, act: () => void): Promise<void> => {
    const parts = { 'chat-service': stack.chat, gateway: stack.gateways[0] };
    const before = new Map<string, number>();
    for (const [name, part] of Object.entries(parts)) before.set(name, await residentMb(part?.pid));
    const peak = new Map(before);
    const alone = Math.max(await bystander(), await bystander(), await bystander());
    act();
    let slowest = 0;
    for (let round = 0; round < 20; round += 1) {
      await sleep(250);
      for (const [name, part] of Object.entries(parts))
        peak.set(name, Math.max(peak.get(name) ?? 0, await residentMb(part?.pid)));
      if (round % 5 === 0) slowest = Math.max(slowest, await bystander());
    }
    for (const [name, most] of peak) {
      const from = before.get(name) ?? 0;
      console.log(
        `${what}: ${name} ${from.toFixed(0)} → ${most.toFixed(0)} MB; a bystander connects in ${slowest.toFixed(0)} ms at most, before in ${alone.toFixed(0)}`,
      );
      expect(most - from, name).toBeLessThanOrEqual(GROWTH_MB);
    }
    expect(slowest).toBeLessThanOrEqual(Math.max(BYSTANDER_MS, BYSTANDER_RATIO * alone));
    for (const socket of sockets.splice(0)) socket.destroy();
    await sleep(2_000);
  };

  test(`[INT9] ${SESSIONS * TABS} sockets on sessions full of the largest messages`, () =>
    watched(`${SESSIONS * TABS} sockets`, () => {
      for (const { sessionId, token } of customers)
        for (let tab = 0; tab < TABS; tab += 1)
          unread(`/channel/ws?session=${sessionId}&last_seq=0`, [
            'Connection: Upgrade',
            'Upgrade: websocket',
            'Sec-WebSocket-Version: 13',
            `Sec-WebSocket-Key: ${Buffer.from(randomUUID()).subarray(0, 16).toString('base64')}`,
            `Sec-WebSocket-Protocol: chat.v1, bearer.${token}`,
          ]);
    }));

  test(`[ERR19] ${UNREAD_ANSWERS} answers of events that nobody reads`, () =>
    watched(`${UNREAD_ANSWERS} unread answers`, () => {
      for (let request = 0; request < UNREAD_ANSWERS; request += 1) {
        const customer = customers[request % customers.length];
        if (customer === undefined) throw new Error('no customers');
        unread(`/chat/session/${customer.sessionId}/events?after_seq=0&limit=500`, [
          `Authorization: Bearer ${customer.token}`,
        ]);
      }
    }));
});

import { Customer, HttpClient, Staff, startStack, type Stack } from '@chat-realtime/testkit';
import { channelTokenSigner } from '../servers/secrets.ts';

/** One address asks for everything here: what protects against that is off, the rest is as delivered. */
const RATES_OFF = {
  RATE_CONNECT_PER_10S: '0',
  RATE_SESSIONS_PER_MINUTE: '0',
  RATE_MESSAGES_PER_MINUTE: '0',
  LOG_LEVEL: 'warn',
};
const PARALLEL = 24;

/** The distributed form with durable PostgreSQL, RabbitMQ, Redis and nginx, as `npm run stack` starts it. */
export async function withStack<T>(work: (stack: Stack) => Promise<T>): Promise<T> {
  const stack = await startStack({ env: RATES_OFF, durable: true });
  try {
    return await work(stack);
  } finally {
    await stack.stop();
  }
}

export async function inParallel<T>(
  count: number,
  work: (index: number) => Promise<T>,
  parallel = PARALLEL,
): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) results[index] = await work(index);
  };
  await Promise.all(Array.from({ length: Math.min(parallel, count) }, worker));
  return results;
}

export function createCustomers(http: HttpClient, count: number): Promise<Customer[]> {
  return inParallel(count, () => Customer.create(http, {}));
}

export function operatorOf(stack: Stack, http: HttpClient): Promise<Staff> {
  return Staff.login(http, stack.logins[0] ?? 'anna', stack.password);
}

export function signerOf(stack: Stack): (sessionId: number) => string {
  return channelTokenSigner(stack.env['CHAT_TOKEN_SECRETS'] ?? '');
}

export function portOf(url: string): number {
  return Number(new URL(url).port);
}

/** Sum of a counter's samples whose labels fit, from one service's /metrics. */
export async function counter(
  serviceUrl: string,
  name: string,
  fits: (labels: string) => boolean = () => true,
): Promise<number> {
  const answer = await fetch(`${serviceUrl}/metrics`);
  let sum = 0;
  for (const line of (await answer.text()).split('\n')) {
    const match = /^(\w+)(?:\{(.*)\})? (\S+)/.exec(line);
    if (match?.[1] === name && fits(match[2] ?? '')) sum += Number(match[3]);
  }
  return sum;
}

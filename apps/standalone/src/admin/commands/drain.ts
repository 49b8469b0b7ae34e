import { setTimeout as sleep } from 'node:timers/promises';
import { drainStatusSchema } from '@chat-realtime/protocol';
import type { z } from 'zod';
import { type AdminCommand, AdminRefusal, AdminUsageError } from '../command.ts';

const USAGE = 'drain <address of a gateway, such as http://channel-gateway-1:8103>';
const ANSWER_MS = 5_000;
const LOOK_EVERY_MS = 500;
/** Beyond its own time the gateway has ended what did not go. */
const MARGIN_MS = 10_000;

type Status = z.infer<typeof drainStatusSchema>;

async function ask(address: string, key: string, method: 'GET' | 'POST'): Promise<Status> {
  let response: Response;
  try {
    response = await fetch(new URL('/internal/drain', address), {
      method,
      headers: { authorization: `Bearer ${key}` },
      signal: AbortSignal.timeout(ANSWER_MS),
    });
  } catch (error) {
    const why = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new AdminRefusal(`${address} does not answer: ${why}`);
  }
  if (response.status === 401) throw new AdminRefusal(`${address} does not know this INTERNAL_API_KEY`);
  if (!response.ok) throw new AdminRefusal(`${address} answers ${response.status}: is it a gateway?`);
  return drainStatusSchema.parse(await response.json());
}

export const drain: AdminCommand = {
  async run({ args, env, progress }) {
    const [address, ...more] = args;
    if (address === undefined || more.length > 0 || !URL.canParse(address)) throw new AdminUsageError(USAGE);
    const key = env['INTERNAL_API_KEY'];
    if (!key) throw new AdminRefusal('INTERNAL_API_KEY is not set; it is the one that the gateways have');
    progress(`asking ${address} how many clients it has, to send them all to the other gateways …`);
    const before = await ask(address, key, 'GET');
    progress(
      `sending ${before.connections} clients of ${address} to the other gateways, over ${before.drain_seconds} s; nobody new is let in …`,
    );
    const begun = performance.now();
    let status = await ask(address, key, 'POST');
    const deadline = begun + status.drain_seconds * 1_000 + MARGIN_MS;
    let told = status.connections;
    while (status.connections > 0 && performance.now() < deadline) {
      await sleep(LOOK_EVERY_MS);
      status = await ask(address, key, 'GET');
      if (status.connections !== told) progress(`  ${status.connections} left`);
      told = status.connections;
    }
    const seconds = Math.round((performance.now() - begun) / 100) / 10;
    const empty = status.connections === 0;
    return {
      result: {
        gateway: address,
        sent_away: before.connections - status.connections,
        left: status.connections,
        seconds,
      },
      text: empty
        ? `Empty after ${seconds} s. It lets nobody in until it is restarted: stop or restart it now.`
        : `${status.connections} clients did not go within ${seconds} s. Stopping the gateway ends them; they come back elsewhere.`,
      ...(empty ? {} : { failed: true }),
    };
  },
};

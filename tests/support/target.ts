import { HttpClient, until } from '@chat-realtime/testkit';
import type { ProfileName } from './profiles.ts';
import { startStandalone } from './standalone-target.ts';
import { startStackTarget } from './stack-target.ts';
import { urlTarget } from './url-target.ts';

export const TARGET_KINDS = ['standalone', 'stack', 'url'] as const;
export type TargetKind = (typeof TARGET_KINDS)[number];

/** A running chat, whatever it is made of. Tests know its address and nothing else. */
export interface Target {
  readonly kind: TargetKind;
  readonly baseUrl: string;
  /** Throws with the output of the process that died. */
  assertAlive(): void;
  /** SIGTERM to what holds the channel's connections; resolves when it has ended. */
  terminateGateway(): Promise<{ code: number | null }>;
  /** Kill -9 to what holds the channel's connections, one after the other, each up again before the next. */
  killGateways(): Promise<void>;
  /** Stops and starts everything that is ours, over the same data, as an update does. */
  restart(): Promise<void>;
  /** False: a later start of another profile needs the machine for itself. */
  readonly cheap: boolean;
  stop(): Promise<void>;
}

export interface TargetRequest {
  readonly profile: ProfileName;
  readonly webhookUrl: string;
  /** A site whose pages carry the widget. Standalone allows every page of this machine by itself. */
  readonly siteOrigin: string;
}

export function targetKind(env: NodeJS.ProcessEnv = process.env): TargetKind {
  const wanted = env['BLACKBOX_TARGET'] ?? 'standalone';
  const kind = TARGET_KINDS.find((candidate) => candidate === wanted);
  if (kind === undefined) throw new Error(`BLACKBOX_TARGET must be one of ${TARGET_KINDS.join(', ')}, not ${wanted}`);
  return kind;
}

export async function startTarget(request: TargetRequest): Promise<Target> {
  const target = await start(request);
  await untilAdmitted(target.baseUrl);
  return target;
}

/**
 * A gateway that has just been busy starting may turn newcomers away for some seconds (1013, 503): a client comes back,
 * and so the suite begins when the gateway has room.
 */
export async function untilAdmitted(baseUrl: string): Promise<void> {
  const http = new HttpClient(baseUrl);
  await until(async () => (await http.get('/channel/poll?session=1&token=x')).status === 401, {
    timeoutMs: 30_000,
    everyMs: 250,
    what: 'a gateway that has room',
  });
  http.close();
}

function start(request: TargetRequest): Promise<Target> {
  switch (targetKind()) {
    case 'standalone':
      return startStandalone(request);
    case 'stack':
      return startStackTarget(request);
    case 'url':
      return urlTarget(process.env['CHAT_BASE_URL']);
  }
}

import type { ProfileName } from './profiles.ts';

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

/** `BLACKBOX_ENV="A=1 B=2"`: settings for one run, for example DATABASE_URL of a real PostgreSQL. */
export function extraEnvironment(): Record<string, string> {
  const entries = (process.env['BLACKBOX_ENV'] ?? '').split(' ').filter((entry) => entry.includes('='));
  return Object.fromEntries(
    entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
}

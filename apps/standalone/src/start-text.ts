import { INVITE_HOURS, type OperatorPassword } from '@chat-realtime/auth-service';
import { publicAddress } from '@chat-realtime/service-kit';
import type { DemoMode } from './demo-mode.ts';
import { invitePath } from './invite-path.ts';
import { DEFAULT_PORT } from './listen-port.ts';
import type { Accounts, TrialState } from './standalone.ts';

/** In a package that npm installed there is no script to run. */
const STARTED_BY = import.meta.url.includes('/node_modules/') ? 'npx chat-realtime' : 'npm start --';

export interface StartInfo {
  readonly baseUrl: string;
  /** The address for others, through a proxy. */
  readonly publicUrl: string | undefined;
  /** The default port was taken. */
  readonly moved: boolean;
  readonly accounts: Accounts;
  readonly password: OperatorPassword | undefined;
  /** Null with `DATABASE_URL`. */
  readonly embedded: { readonly runsAs: string | undefined } | null;
  readonly databaseVersion: string;
  readonly dataDir: string;
  readonly demo: DemoMode;
  /** The page that breaks it and counts: in demo mode with our own auth-service. */
  readonly trial: TrialState;
}

/** The key opens once; see `TryDoor`. */
export function tryAddress(baseUrl: string, key: string): string {
  return `${baseUrl}/try/?key=${key}`;
}

/** The text that each start prints. */
export function startText(info: StartInfo): string {
  const lines = ['', '  Chat Realtime is running.', ''];
  if (info.moved) lines.push(`  Port ${DEFAULT_PORT} is taken, so it listens on another one.`, '');
  if (info.trial.kind === 'open') {
    lines.push('  Try it, customer and operator side by side; break it and count. This address opens once:');
    lines.push(`             ${tryAddress(info.baseUrl, info.trial.key)}`);
  }
  lines.push(`  Customer:  ${info.baseUrl}/`, `  Operator:  ${info.baseUrl}/operator/`, ...loginLines(info), '');
  lines.push(...storageLines(info));
  lines.push(...demoLines(info));
  lines.push(`  Stop with Ctrl+C; begin anew with: ${STARTED_BY} --reset`, '');
  return `${lines.join('\n')}\n`;
}

function demoLines({ demo, trial, baseUrl }: StartInfo): string[] {
  if (!demo.on) return demo.because.length === 0 ? [] : [`  Demo mode is off, because of ${demo.because.join(', ')}.`];
  const lines = [
    `  Demo mode: pages on localhost may use the chat. DELETE ${baseUrl}/chat/demo (admin) removes the demo chats.`,
  ];
  if (trial.kind === 'real_data')
    lines.push('  /try/ is closed: this database has been served for real. Another DATA_DIR opens it.');
  return lines;
}

/** The browser of whoever reads this on a rented server is on another machine. */
function inviteLines({ baseUrl, publicUrl }: StartInfo, key: string): string[] {
  const here = `${baseUrl}${invitePath(key)}`;
  if (publicUrl === undefined) return [`             ${here}`];
  return [`             ${publicAddress(publicUrl, invitePath(key))}`, `             (on this machine: ${here})`];
}

function loginLines(info: StartInfo): string[] {
  const { accounts, password } = info;
  if (accounts.kind === 'foreign') return ['  Logins:    those of your own auth-service'];
  if (accounts.kind === 'own') {
    if (accounts.invite === undefined) return [];
    const until = `once, within ${INVITE_HOURS} hours; a new start makes a new one`;
    return [
      '',
      `  There is no administrator yet. Make your account here (${until}):`,
      ...inviteLines(info, accounts.invite.key),
    ];
  }
  const logins = accounts.operators.map((operator) => operator.login).join(', ');
  if (accounts.kind === 'given') return [`  Logins:    ${logins}; the password is OPERATOR_PASSWORD`];
  if (password === undefined) return [];
  if (password.source === 'environment') return [`  Logins:    ${logins}; the password is OPERATOR_PASSWORD`];
  return [`  Logins:    ${logins}; password ${password.password}`];
}

function storageLines({ embedded, databaseVersion, dataDir }: StartInfo): string[] {
  if (embedded === null) return ['  Data:      PostgreSQL (DATABASE_URL)'];
  const lines = [`  Data:      ${dataDir} (PostgreSQL ${databaseVersion}, a part of this process)`];
  if (embedded.runsAs !== undefined)
    lines.push(`             PostgreSQL does not run as root: it runs as the system user ${embedded.runsAs}.`);
  return lines;
}

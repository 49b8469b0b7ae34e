import type { Operator, OperatorPassword } from '@chat-realtime/auth-service';
import { DEFAULT_PORT } from './listen-port.ts';

export interface StartFacts {
  readonly baseUrl: string;
  /** The default port was taken. */
  readonly moved: boolean;
  readonly operators: readonly Operator[];
  readonly password: OperatorPassword;
  readonly databaseKind: 'postgres' | 'pglite';
  readonly dataDir: string;
  readonly demo: boolean;
  /** The page that breaks it and counts is served: in demo mode with our own auth-service. */
  readonly trial: boolean;
}

/** What each start tells the person who typed it. */
export function startText(facts: StartFacts): string {
  const lines = ['', '  Chat Realtime is running.', ''];
  if (facts.moved) lines.push(`  Port ${DEFAULT_PORT} is taken, so it listens on another one.`, '');
  if (facts.trial)
    lines.push(`  Try it:    ${facts.baseUrl}/try/   customer and operator side by side; break it and count`);
  lines.push(`  Customer:  ${facts.baseUrl}/`, `  Operator:  ${facts.baseUrl}/operator/`, ...loginLines(facts), '');
  lines.push(...storageLines(facts));
  if (facts.demo) {
    lines.push(
      `  Demo mode: pages on localhost may use the chat. DELETE ${facts.baseUrl}/chat/demo (admin) removes the seeded chats.`,
    );
  }
  lines.push('  Stop with Ctrl+C; begin anew with: npm start -- --reset', '');
  return `${lines.join('\n')}\n`;
}

function loginLines({ operators, password }: StartFacts): string[] {
  if (operators.length === 0) return ['  Logins:    those of your own auth-service'];
  const logins = operators.map((operator) => operator.login).join(', ');
  if (password.source === 'environment') return [`  Logins:    ${logins}; the password is OPERATOR_PASSWORD`];
  return [`  Logins:    ${logins}; password ${password.password}`];
}

function storageLines({ databaseKind, dataDir }: StartFacts): string[] {
  if (databaseKind === 'postgres') return ['  Data:      PostgreSQL (DATABASE_URL)'];
  return [
    `  Data:      ${dataDir} (embedded database)`,
    '             It survives a crash of this process but not a power cut; for real use set DATABASE_URL to a PostgreSQL.',
  ];
}

import type { Database } from '@chat-realtime/database';

export interface AdminContext {
  readonly database: Database;
  readonly args: readonly string[];
}

/** One thing that whoever may reach the database can do from the command line. */
export interface AdminCommand {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** `result` for machines, `text` for people. */
  run(context: AdminContext): Promise<{ readonly result: object; readonly text: string }>;
}

/** Called wrongly: the text says how it is called. */
export class AdminUsageError extends Error {
  override readonly name = 'AdminUsageError';
  readonly code = 'usage';
}

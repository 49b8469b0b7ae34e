import type { Database } from '@chat-realtime/database';

export interface AdminContext {
  /** The arguments after the name of the command, without `--json`. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * The database of the services, opened on first use and closed by the caller. Its schema is left as it is, and
   * refused if it lacks something: a read-only command must not make a downgrade of the services impossible.
   */
  readonly openDatabase: () => Promise<Database>;
  /**
   * Its address, whatever its content. A missing embedded database is created only for commands that may `create` it.
   */
  readonly databaseUrl: (may?: { readonly create: boolean }) => Promise<string>;
  /** Brings its schema up to date: for the command `migrate` alone. */
  readonly migrateDatabase: () => Promise<void>;
  /** A line of progress; dropped with `--json`, so that only the answer is printed. */
  readonly progress: (line: string) => void;
  /** One line of standard input: a password stands neither in a list of processes nor in a history. */
  readonly readSecret: (prompt: string) => Promise<string>;
}

export interface AdminAnswer {
  /** For machines. */
  readonly result: object;
  /** For people. */
  readonly text: string;
  /** Done, but what was found is bad: the exit code says so. */
  readonly failed?: boolean;
}

/** One thing that an administrator does from the command line. Each has a file in `commands/`. */
export interface AdminCommand {
  run(context: AdminContext): Promise<AdminAnswer>;
}

/** Its line in the list of commands, which is shown without loading any of them. */
export interface AdminEntry {
  readonly name: string;
  /** The arguments after the name, such as `list | add <login> <name>`; empty if there are none. */
  readonly usage: string;
  readonly summary: string;
  load(): Promise<AdminCommand>;
}

/** Called wrongly: the text says how it is called. */
export class AdminUsageError extends Error {
  override readonly name = 'AdminUsageError';
  readonly code = 'usage';
}

/** Called rightly and not possible: the text says why and what to do. */
export class AdminRefusal extends Error {
  override readonly name = 'AdminRefusal';
  readonly code = 'refused';
}

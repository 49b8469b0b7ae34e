import { IANAZone } from 'luxon';
import { parseDocument } from 'yaml';
import { z } from 'zod';

/** Every fault of the file at once, each with its place in it. */
export class TableSourceConfigError extends Error {
  override readonly name = 'TableSourceConfigError';
  readonly code = 'table_source_config';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the table source is not usable:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/** Triggers, functions and the outbox are named after it; both databases allow 63 characters and more. */
const PREFIX_PATTERN = /^[a-z][a-z0-9_]{0,30}$/;
const NAME = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[^\0`"'\\.;]+$/, 'must be one plain name, without quotes, dots or semicolons');
const TABLE = z
  .string()
  .regex(/^[^\0`"'\\.;]{1,63}(\.[^\0`"'\\.;]{1,63})?$/, 'must be a table, or <schema>.<table>, without quotes');

const SCALAR = z.union([z.string(), z.number(), z.boolean(), z.null()]).transform((value) => String(value));
/** A column as it stands, or with the words that its values mean: `null` is the value of an empty column. */
const mapped = <T extends z.ZodType<string>>(meaning: T) =>
  z.union([
    NAME.transform((column) => ({ column, map: {}, else: undefined })),
    z.strictObject({
      column: NAME,
      map: z.record(z.string(), meaning).default({}),
      else: meaning.optional(),
    }),
  ]);
const WORD = z
  .union([z.string(), z.number()])
  .transform(String)
  .pipe(z.string().regex(/^[\w.:-]{1,64}$/, 'must be a word of at most 64 characters'));
const SENDER = z.enum(['client', 'operator', 'system']);

const schema = z.strictObject({
  database: z.enum(['postgresql', 'mysql']),
  url: z.string().min(1),
  /** The meaning of columns without a zone. */
  time_zone: z
    .string()
    .default('UTC')
    .refine((zone) => IANAZone.isValidZone(zone), 'must be a time zone such as Europe/Moscow'),
  /** What everything that the triggers need is called by. */
  prefix: z.string().regex(PREFIX_PATTERN, 'must be a short name in small letters').default('chat_realtime'),
  /** The database user of the follower: `print-sql` grants it what it needs. */
  grant_to: z
    .string()
    .regex(/^[^\0`"'\\;@]{1,63}(@[^\0`"'\\;@]{1,255})?$/, 'must be a user, on MySQL with @host')
    .optional(),
  /** Between two looks for what no trigger noted; 0 = never. */
  reconcile_seconds: z.int().min(0).max(86_400).default(30),
  /** If the outbox is larger, the triggers capture nothing: unread rows must not fill the disk of the site. */
  outbox_megabytes: z.int().min(1).max(1_048_576).default(1_024),
  sessions: z.strictObject({
    table: TABLE,
    id: NAME.default('id'),
    created_at: NAME.optional(),
    status: mapped(WORD).optional(),
    assigned: NAME.optional(),
    name: NAME.optional(),
    email: NAME.optional(),
    phone: NAME.optional(),
  }),
  messages: z.strictObject({
    table: TABLE,
    id: NAME.default('id'),
    session: NAME,
    body: NAME,
    created_at: NAME.optional(),
    sender: mapped(SENDER),
    sender_id: NAME.optional(),
    sender_name: NAME.optional(),
    /** Of ids that are no numbers: each new one is greater than those before, such as a ULID or a UUID of version 7. */
    ids_ascend: z.boolean().default(false),
    /** The address of a file that belongs to the message, as a browser can open it, and its name. */
    file_url: NAME.optional(),
    file_name: NAME.optional(),
    /** Rows that are carried; the others are none of the customer's business, such as notes between operators. */
    only: z.record(NAME, z.array(SCALAR).min(1)).default({}),
  }),
  /** The table with the names of operators. */
  operators: z.strictObject({ table: TABLE, id: NAME.default('id'), name: NAME }).optional(),
});

export type TableSourceConfig = z.infer<typeof schema>;
export type MappedColumn = NonNullable<TableSourceConfig['sessions']['status']>;

/** `${NAME}` in the url stands for a variable, so that the file need not contain a password. */
function resolveUrl(text: string, env: NodeJS.ProcessEnv, problems: string[]): string {
  return text.replace(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = env[name];
    if (value === undefined || value === '') problems.push(`url: the variable ${name} is not set`);
    return value ?? '';
  });
}

const PROTOCOLS = { postgresql: ['postgres:', 'postgresql:'], mysql: ['mysql:', 'mariadb:'] } as const;

function checkUrl(url: string, database: TableSourceConfig['database']): string | undefined {
  const allowed: readonly string[] = PROTOCOLS[database];
  if (!URL.canParse(url)) return 'url: is not a URL';
  return allowed.includes(new URL(url).protocol) ? undefined : `url: must begin with ${allowed.join('// or ')}//`;
}

export interface ParseOptions {
  /** The values for `${NAME}`. Without them the url stays as it is written: for commands that need no connection. */
  readonly env?: NodeJS.ProcessEnv;
}

/** @throws TableSourceConfigError with everything that is wrong. */
export function parseTableSource(text: string, { env }: ParseOptions = {}): TableSourceConfig {
  const document = parseDocument(text, { uniqueKeys: true, version: '1.2' });
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) throw new TableSourceConfigError(faults.map((error) => error.message.split('\n')[0] ?? ''));
  const result = schema.safeParse(document.toJS({ maxAliasCount: 0 }));
  const problems: string[] = [];
  if (!result.success) {
    for (const issue of result.error.issues) {
      const place = issue.path.map(String).join('.');
      const unions = issue.code === 'invalid_union' ? issue.errors.flat().map(({ message }) => message) : [];
      const message = unions.length > 0 ? [...new Set(unions)].join(', or ') : issue.message;
      problems.push(place === '' ? message : `${place}: ${message}`);
    }
    throw new TableSourceConfigError(problems);
  }
  if (env === undefined) return result.data;
  const url = resolveUrl(result.data.url, env, problems);
  const wrong = problems.length === 0 ? checkUrl(url, result.data.database) : undefined;
  if (wrong !== undefined) problems.push(wrong);
  if (problems.length > 0) throw new TableSourceConfigError(problems);
  return { ...result.data, url };
}

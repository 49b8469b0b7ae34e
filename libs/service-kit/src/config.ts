import { KeyRing } from '@chat-realtime/protocol/tokens';
import { z } from 'zod';
import { TrustedProxies } from './client-ip.ts';

/** Every fault of the environment at once; the values themselves are never printed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`configuration is not usable:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/** Reads the variables named by `schema`. An empty variable counts as absent, as compose files write it. */
export function loadConfig<S extends z.ZodObject>(schema: S, env: NodeJS.ProcessEnv): z.infer<S> {
  const input: Record<string, string> = {};
  for (const name of Object.keys(schema.shape)) {
    const value = env[name];
    if (value !== undefined && value.trim() !== '') input[name] = value;
  }
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new ConfigError(
    result.error.issues.map((issue) => {
      const name = issue.path.map(String).join('.');
      const absent = issue.code === 'invalid_type' && !(name in input);
      const problem = absent ? 'is required' : issue.message;
      return name === '' ? problem : `${name}: ${problem}`;
    }),
  );
}

export interface IntegerBounds {
  readonly min?: number;
  readonly max?: number;
}

function integerText({ min = 0, max = Number.MAX_SAFE_INTEGER }: IntegerBounds) {
  return z
    .string()
    .trim()
    .regex(/^-?\d{1,16}$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must lie between ${min} and ${max}`);
}

/** A whole number, at least 0 unless `min` says otherwise. */
export function envInteger(defaultValue: number, bounds: IntegerBounds = {}) {
  return integerText(bounds).default(defaultValue);
}

/** A whole number that has no default; absent gives `undefined`. */
export function envOptionalInteger(bounds: IntegerBounds = {}) {
  return integerText(bounds).optional();
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['yes', true],
  ['on', true],
  ['false', false],
  ['0', false],
  ['no', false],
  ['off', false],
]);

export function envBoolean(defaultValue: boolean) {
  return z
    .string()
    .transform((text, context) => {
      const value = BOOLEANS.get(text.trim().toLowerCase());
      if (value === undefined) {
        context.addIssue('must be true or false');
        return z.NEVER;
      }
      return value;
    })
    .default(defaultValue);
}

/** Entries between commas, trimmed, empty ones dropped; absent gives none. */
export function envList() {
  return z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((entry) => entry.trim())
        .filter((entry) => entry !== ''),
    )
    .default([]);
}

/** `k2:<secret>,k1:<secret>`. */
export function envSecretRing() {
  return z.string().transform((text, context) => {
    try {
      return KeyRing.parse(text);
    } catch (error) {
      context.addIssue(error instanceof Error ? error.message : 'is not a list of <key id>:<secret>');
      return z.NEVER;
    }
  });
}

/** One secret text. */
export function envSecret(minBytes = 32) {
  return z.string().refine((text) => Buffer.byteLength(text, 'utf8') >= minBytes, `needs at least ${minBytes} bytes`);
}

/** A URL of one of `protocols` (`http:` and `https:` unless named). Its text is kept as it was given. */
export function envUrl(protocols: readonly string[] = ['http:', 'https:']) {
  return z
    .string()
    .trim()
    .refine(
      (text) => URL.canParse(text) && protocols.includes(new URL(text).protocol),
      `must be a URL with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    );
}

/** Addresses and networks whose `X-Forwarded-For` is trusted. Absent: none. */
export function envTrustedProxies() {
  return z
    .string()
    .default('')
    .transform((text, context) => {
      try {
        return TrustedProxies.parse(text.split(','));
      } catch (error) {
        context.addIssue(error instanceof Error ? error.message : 'is not a list of networks');
        return z.NEVER;
      }
    });
}

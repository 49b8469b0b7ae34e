import { createHash } from 'node:crypto';

/** The users of `deploy/redis/users.acl.template`, by the part of the product that signs in with them. */
export const REDIS_USERS = {
  gateway: 'chat-gateway',
  dispatcher: 'chat-dispatcher',
  telegram: 'chat-telegram',
  admin: 'chat-admin',
} as const;
export type RedisUser = keyof typeof REDIS_USERS;

export class RedisUsersError extends Error {
  override readonly name = 'RedisUsersError';
  readonly code = 'redis_users';
}

/**
 * The users file of a Redis (`aclfile`), made from the template. It holds hashes only: who reads it cannot sign in.
 * `prefix` is `REDIS_KEY_PREFIX` as it is; it is a pattern in the file, so its own stars and brackets are escaped.
 */
export function redisUsersFile(template: string, passwords: Readonly<Record<RedisUser, string>>, prefix = ''): string {
  if (/[\s"'\\()]/.test(prefix))
    throw new RedisUsersError('a prefix with spaces, quotes, backslashes or parentheses cannot stand in a users file');
  const values = new Map(
    Object.entries(passwords).map(([user, password]) => [`${user.toUpperCase()}_SHA256`, sha256(password)]),
  );
  values.set('PREFIX', prefix.replaceAll(/[*?[\]]/g, '\\$&'));
  const lines = template.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const filled = lines.map((line) =>
    line.replaceAll(/\$\{([A-Z0-9_]+)\}/g, (_match, name: string) => {
      const value = values.get(name);
      if (value === undefined) throw new RedisUsersError(`the template names ${name}, which nobody sets`);
      return value;
    }),
  );
  return `${filled.join('\n')}\n`;
}

/** The address with which one part signs in. */
export function redisUrlAs(url: string, user: RedisUser, password: string): string {
  const address = new URL(url);
  address.username = REDIS_USERS[user];
  address.password = encodeURIComponent(password);
  return address.href;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

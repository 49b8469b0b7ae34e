import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { redisUsersFile } from '@chat-realtime/messaging/redis';
import { type AdminCommand, AdminRefusal, AdminUsageError } from '../command.ts';

const bytes = (size: number) => (): string => randomBytes(size).toString('base64url');
/** `kid:secret`, the form in which a second one can be put in front. The kid shows when it was made. */
const keyed = (): string => `k${new Date().toISOString().slice(0, 10).replaceAll('-', '')}:${bytes(32)()}`;

/** Every secret of `.env.example`, and how it is made. */
export const SECRETS: Readonly<Record<string, () => string>> = {
  CHAT_TOKEN_SECRETS: keyed,
  IDENTITY_SECRETS: keyed,
  INTERNAL_API_KEY: bytes(32),
  SITE_API_KEY: bytes(32),
  ALERT_WEBHOOK_SECRET: bytes(32),
  METRICS_TOKEN: bytes(32),
  OPERATOR_PASSWORD: bytes(12),
  PROBE_PASSWORD: bytes(18),
  POSTGRES_PASSWORD: bytes(24),
  RABBITMQ_PASSWORD: bytes(24),
  REDIS_GATEWAY_PASSWORD: bytes(24),
  REDIS_DISPATCHER_PASSWORD: bytes(24),
  REDIS_TELEGRAM_PASSWORD: bytes(24),
  REDIS_ADMIN_PASSWORD: bytes(24),
  CACHE_REDIS_PASSWORD: bytes(24),
  TELEGRAM_WEBHOOK_SECRET: bytes(32),
  GRAFANA_ADMIN_PASSWORD: bytes(18),
};
/** Those that may be a list: a new one goes in front and signs, the old one verifies until it is removed. */
const LISTS = new Set(['CHAT_TOKEN_SECRETS', 'IDENTITY_SECRETS']);

const LINE = /^([A-Z][A-Z0-9_]*)=(.*)$/;

function valuesOf(text: string): Map<string, string> {
  return new Map(
    text.split('\n').flatMap((line): [string, string][] => {
      const match = LINE.exec(line);
      return match === null ? [] : [[match[1] ?? '', (match[2] ?? '').trim()]];
    }),
  );
}

async function textOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** All or nothing, and readable only by its owner. */
async function writeSecret(path: string, text: string, mode = 0o600): Promise<void> {
  const unfinished = `${path}.new`;
  await writeFile(unfinished, text, { mode });
  await chmod(unfinished, mode);
  await rename(unfinished, path);
}

function rotated(name: string, known: string): string {
  const make = SECRETS[name];
  if (make === undefined) throw new AdminUsageError(`--rotate takes one of ${Object.keys(SECRETS).join(', ')}`);
  const fresh = make();
  if (!LISTS.has(name) || known === '') return fresh;
  const kids = new Set(known.split(',').map((entry) => entry.split(':')[0]));
  const [kid = '', secret = ''] = fresh.split(/:(.*)/s);
  let unique = kid;
  for (let round = 2; kids.has(unique); round += 1) unique = `${kid}-${round}`;
  return `${unique}:${secret},${known}`;
}

export const secrets: AdminCommand = {
  async run({ args, progress }) {
    const { values: options } = parseArgs({
      args: [...args],
      options: { folder: { type: 'string', default: 'deploy' }, rotate: { type: 'string' } },
    });
    const folder = resolve(options.folder);
    const path = join(folder, '.env');
    const example = await textOrNull(join(folder, '.env.example'));
    if (example === null)
      throw new AdminRefusal(`${folder} has no .env.example: name the folder "deploy" of the project with --folder`);
    const wanted = options.rotate === undefined ? '' : `making ${options.rotate} anew, and `;
    progress(`${wanted}making every secret that ${path} lacks, and the files in ${join(folder, 'generated')} …`);
    const before = await textOrNull(path);
    let text = before ?? example;
    // The explanation of a newer version's variable remains in .env.example.
    const missing = [...valuesOf(example)].filter(([name]) => !valuesOf(text).has(name));
    if (missing.length > 0)
      text = `${text.trimEnd()}\n${missing.map(([name, value]) => `${name}=${value}`).join('\n')}\n`;
    const made: string[] = [];
    text = text
      .split('\n')
      .map((line) => {
        const [, name = '', known = ''] = LINE.exec(line) ?? [];
        const make = SECRETS[name];
        if (make === undefined) return line;
        if (name === options.rotate) {
          made.push(name);
          return `${name}=${rotated(name, known.trim())}`;
        }
        if (known.trim() !== '') return line;
        made.push(name);
        return `${name}=${make()}`;
      })
      .join('\n');
    if (options.rotate !== undefined && !made.includes(options.rotate)) rotated(options.rotate, '');

    const values = valuesOf(text);
    const value = (name: string): string => values.get(name) ?? '';
    const template = await readFile(join(folder, 'redis/users.acl.template'), 'utf8');
    const users = redisUsersFile(
      template,
      {
        gateway: value('REDIS_GATEWAY_PASSWORD'),
        dispatcher: value('REDIS_DISPATCHER_PASSWORD'),
        telegram: value('REDIS_TELEGRAM_PASSWORD'),
        admin: value('REDIS_ADMIN_PASSWORD'),
      },
      value('REDIS_KEY_PREFIX'),
    );
    const generated = join(folder, 'generated');
    await mkdir(generated, { recursive: true, mode: 0o755 });
    // Read by the servers' own users inside their containers. The first contains only hashes; the folder above belongs
    // to the owner; the second gives access only to figures.
    await writeSecret(join(generated, 'redis-users.acl'), users, 0o644);
    await writeSecret(join(generated, 'metrics-token'), value('METRICS_TOKEN'), 0o644);
    // The address may contain its own key.
    const alertmanager = await readFile(join(folder, 'monitoring/alertmanager.yml.template'), 'utf8');
    const webhookUrl = JSON.stringify(value('ALARM_WEBHOOK_URL')).slice(1, -1);
    await writeSecret(
      join(generated, 'alertmanager.yml'),
      alertmanager.replace('${ALARM_WEBHOOK_URL}', () => webhookUrl),
      0o644,
    );
    await writeSecret(path, text);
    const kept = Object.keys(SECRETS).filter((name) => !made.includes(name));
    return {
      result: { file: path, made, kept, generated: ['redis-users.acl', 'metrics-token', 'alertmanager.yml'] },
      text: [
        made.length === 0 ? `${path} had every secret already.` : `${path}: made ${made.join(', ')}`,
        `${generated}: redis-users.acl, metrics-token, alertmanager.yml`,
        'Nobody but you can read .env. The first password of the operator admin is OPERATOR_PASSWORD in it.',
      ].join('\n'),
    };
  },
};

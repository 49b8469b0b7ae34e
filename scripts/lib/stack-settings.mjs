// Which settings of its caller `npm run stack` hands to the services: those that their schemas name, so that none is
// forgotten when a service learns a new one.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.mjs';

export const SCHEMAS = [
  ['auth-service', 'authProcessSchema'],
  ['chat-service', 'chatServiceSchema'],
  ['channel-dispatcher', 'dispatcherEnvironment'],
  ['channel-gateway', 'gatewayEnvironment'],
  ['telegram-bot', 'telegramEnvironment'],
];

/** The stack starts these servers and gives each service its own address; a shell may have them for something else. */
const OF_THE_STACK = new Set([
  ...['HOST', 'PORT', 'INSTANCE_NAME', 'TRUSTED_PROXIES', 'DATA_DIR', 'TRACE_PEERS', 'CHAT_SERVICE_URL'],
  ...['DATABASE_URL', 'DATABASE_DIRECT_URL', 'RABBITMQ_URL', 'REDIS_URL', 'REDIS_CLUSTER_NODES'],
]);
/** What nginx says to the console: a chat in one process reads the same, and says when it is malformed. */
const OF_THE_CONSOLE = ['OPERATOR_TOKEN_URL', 'OPERATOR_LOGIN_URL', 'OPERATOR_RETURN_PARAM', 'OPERATOR_SITE'];
/** In no schema of a service. */
const BESIDE = [...OF_THE_CONSOLE, 'PUBLIC_URL', 'NODE_ENV'];

/** Nobody behind nginx reads it: the console would find out. */
export class UnusableSettingError extends Error {
  name = 'UnusableSettingError';
  code = 'unusable_setting';
}

const PLACEHOLDER = /\$\{([A-Z_][A-Z0-9_]*)\}/g;

/** `TABLE_SOURCE` names variables of its own, such as the password of the site's database. */
function namedByTables(file) {
  return [...readFileSync(file, 'utf8').matchAll(PLACEHOLDER)].map(([, name]) => name);
}

export async function stackSettings(env) {
  const given = (name) => (env[name] ?? '').trim() !== '';
  const { standaloneSchema } = await import(join(root, 'apps/standalone/dist/config.js'));
  for (const name of OF_THE_CONSOLE.filter(given)) {
    const read = standaloneSchema.shape[name].safeParse(env[name]);
    if (!read.success)
      throw new UnusableSettingError(`${name}: ${read.error.issues.map(({ message }) => message).join('; ')}`);
  }
  const names = new Set(BESIDE);
  for (const [service, schema] of SCHEMAS) {
    const config = await import(join(root, 'apps', service, 'dist/config.js'));
    for (const name of Object.keys(config[schema].shape)) if (!OF_THE_STACK.has(name)) names.add(name);
  }
  if (given('TABLE_SOURCE')) for (const name of namedByTables(env.TABLE_SOURCE)) names.add(name);
  return Object.fromEntries([...names].filter(given).map((name) => [name, env[name]]));
}

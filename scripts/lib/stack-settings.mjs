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
/** Read by nginx, and by what is in no schema. */
const BESIDE = ['OPERATOR_TOKEN_URL', 'OPERATOR_LOGIN_URL', 'PUBLIC_URL', 'NODE_ENV'];
/** Said to the console by a chat in one process. */
const STANDALONE_ONLY = ['OPERATOR_SITE', 'OPERATOR_RETURN_PARAM'];

/** A setting that this form cannot use: it would be dropped in silence. */
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
  const unusable = STANDALONE_ONLY.filter(given);
  if (unusable.length > 0)
    throw new UnusableSettingError(
      `${unusable.join(' and ')}: only a chat in one process (npm start) can use this. Take it away, or start that`,
    );
  const names = new Set(BESIDE);
  for (const [service, schema] of SCHEMAS) {
    const config = await import(join(root, 'apps', service, 'dist/config.js'));
    for (const name of Object.keys(config[schema].shape)) if (!OF_THE_STACK.has(name)) names.add(name);
  }
  if (given('TABLE_SOURCE')) for (const name of namedByTables(env.TABLE_SOURCE)) names.add(name);
  return Object.fromEntries([...names].filter(given).map((name) => [name, env[name]]));
}

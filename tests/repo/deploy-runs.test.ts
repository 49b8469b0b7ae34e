// What Docker and systemd would do with the files of deploy/, done here with the same programs.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, redisCommand, tempFolder, until } from '@chat-realtime/testkit';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { stage } from '../support/dockerfile.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const rangeSchema = z.object({ subnet: z.string(), ip_range: z.string().optional() });
const compose = z
  .object({
    services: z.record(
      z.string(),
      z.looseObject({
        build: z.looseObject({ target: z.string() }).optional(),
        command: z.union([z.string(), z.array(z.string())]).optional(),
        cap_drop: z.array(z.string()).default([]),
        networks: z.union([z.array(z.string()), z.record(z.string(), z.unknown())]).default([]),
      }),
    ),
    networks: z.record(
      z.string(),
      z.looseObject({ ipam: z.object({ config: z.array(rangeSchema) }).optional() }).nullable(),
    ),
  })
  .parse(parse(text('deploy/docker-compose.yml'), { merge: true }));

describe('an image whose container drops every capability', () => {
  /** Official images, with the programs to which they give capabilities of their own: `setcap` in their Dockerfiles. */
  const GIVEN: Readonly<Record<string, readonly string[]>> = { node: [], caddy: ['/usr/bin/caddy'] };

  it('starts from a base whose programs are known, and removes their capabilities', () => {
    const dropping = Object.values(compose.services).filter(({ cap_drop }) => cap_drop.includes('ALL'));
    const targets = [...new Set(dropping.map(({ build }) => build?.target ?? 'another image'))];
    expect(targets.sort()).toEqual(['chat', 'edge']);
    for (const target of targets) {
      const { base, runs } = stage(target);
      const programs = GIVEN[base.split(':')[0] ?? ''];
      expect(programs, base).toBeDefined();
      for (const program of programs ?? [])
        expect(runs, target).toContain(`cp ${program} ${program}.plain && mv ${program}.plain ${program}`);
    }
  });
});

it('a manual build names the image that it builds', () => {
  const lines = [
    'deploy/docker/Dockerfile',
    'docs/infra/runbook.md',
    'docs/infra/runbook.ru.md',
    'docs/operations.md',
    'README.md',
  ].flatMap((path) => text(path).match(/docker (?:buildx )?build .*$/gm) ?? []);
  expect(lines.length).toBeGreaterThan(3);
  for (const line of lines) {
    const target = /--target (\w+)/.exec(line)?.[1];
    expect(line).toContain(target === 'edge' ? 'chat-realtime-edge:' : 'chat-realtime:');
    expect(['chat', 'edge'], line).toContain(target);
    // Images of several kinds stay nowhere unless they go to a registry.
    if (line.includes('--platform')) expect(line).toContain(' --push ');
  }
});

describe('the networks of docker-compose.yml', () => {
  const number = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const has = (range: string, address: string): boolean => {
    const [base = '', bits = '32'] = range.split('/');
    const size = 2 ** (32 - Number(bits));
    return Math.floor(number(base) / size) === Math.floor(number(address) / size);
  };

  it('cannot assign a container the fixed address of another by chance', () => {
    const fixed = Object.entries(compose.services).flatMap(([service, { networks }]) =>
      Object.entries(Array.isArray(networks) ? {} : networks).flatMap(([network, settings]) => {
        const address = z.object({ ipv4_address: z.string() }).safeParse(settings).data?.ipv4_address;
        return address === undefined ? [] : [{ service, network, address }];
      }),
    );
    expect(fixed.map(({ service }) => service)).toEqual(['edge']);
    for (const { network, address } of fixed) {
      const [config] = compose.networks[network]?.ipam?.config ?? [];
      expect(has(config?.subnet ?? '0.0.0.0/32', address), address).toBe(true);
      expect(config?.ip_range, network).toBeDefined();
      expect(has(config?.ip_range ?? '0.0.0.0/0', address), address).toBe(false);
    }
  });
});

it('the cache of the site requires its password, evicts, and stops on request', async () => {
  const { command } = compose.services['cache-redis'] ?? {};
  const [, , script = ''] = Array.isArray(command) ? command : [];
  const folder = tempFolder('cache');
  const port = await freePort();
  const password = 'password-of-the-cache';
  const here = `${script.replaceAll('$$', '$').replaceAll('/data/', `${folder}/`)} --bind 127.0.0.1 --port ${port} --dir ${folder}`;
  const server = spawn('sh', ['-c', here], {
    env: { PATH: process.env['PATH'], CACHE_REDIS_PASSWORD: password },
    stdio: 'ignore',
  });
  const url = (secret: string): string => `redis://:${encodeURIComponent(secret)}@127.0.0.1:${port}`;
  try {
    await until(() =>
      redisCommand(url(password), 'PING').then(
        (said) => said === 'PONG',
        () => false,
      ),
    );
    expect(await redisCommand(url(password), 'CONFIG', 'GET', 'maxmemory-policy')).toEqual({
      'maxmemory-policy': 'allkeys-lru',
    });
    await expect(redisCommand(`redis://127.0.0.1:${port}`, 'PING')).rejects.toThrow('NOAUTH');
    // The password is in no list of processes, and the server is the process that Docker signals.
    expect(readFileSync(`/proc/${server.pid}/cmdline`, 'utf8')).toMatch(/^redis-server/);
    expect(readFileSync(`/proc/${server.pid}/cmdline`, 'utf8')).not.toContain(password);
  } finally {
    server.kill('SIGTERM');
    await once(server, 'exit');
  }
  expect([server.exitCode, server.signalCode]).toEqual([0, null]);
});

describe('without Docker', () => {
  it('chat-realtime.target starts every service of the distributed form but the bot', () => {
    const wanted = [...text('deploy/systemd/chat-realtime.target').matchAll(/^Wants=(.*)$/gm)].flatMap(
      ([, units = '']) => units.split(' '),
    );
    expect(wanted).toEqual([
      ...['chat-realtime-auth.service', 'chat-realtime-chat.service', 'chat-realtime-dispatcher.service'],
      ...['chat-realtime-gateway@8103.service', 'chat-realtime-gateway@8113.service'],
    ]);
    for (const unit of wanted) {
      const file = text(`deploy/systemd/${unit.replace(/@\d+/, '@')}`);
      // Stopped with it, and told where visitors come from.
      expect(file, unit).toContain('\nPartOf=chat-realtime.target\n');
      if (!unit.includes('dispatcher'))
        expect(file.slice(0, file.indexOf('[Unit]')), unit).toMatch(/TRUSTED_PROXIES[\s\S]*ALLOWED_ORIGINS/);
    }
  });

  it('chat-admin runs from any folder, also through a link', () => {
    const link = join(tempFolder('admin'), 'chat-admin');
    symlinkSync(join(ROOT, 'deploy/docker/chat-admin'), link);
    const { status, stderr } = spawnSync(link, ['verify', 'x'], {
      encoding: 'utf8',
      cwd: '/',
      env: { PATH: `${join(process.execPath, '..')}:${process.env['PATH']}` },
    });
    expect([status, stderr]).toEqual([2, 'verify takes nothing but --json\n']);
  });
});

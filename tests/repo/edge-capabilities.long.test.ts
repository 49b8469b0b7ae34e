// What a container of the edge may do, by the same kernel: long, since it needs root, file capabilities and a network of its own,
// which a machine that runs `npm test` in a container may not have.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { binaries, findBinary, tempFolder } from '@chat-realtime/testkit';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { stage } from '../support/dockerfile.ts';

const compose = z
  .object({ services: z.record(z.string(), z.looseObject({ sysctls: z.record(z.string(), z.string()).default({}) })) })
  .parse(parse(readFileSync(new URL('../../deploy/docker-compose.yml', import.meta.url), 'utf8'), { merge: true }));

/** As in a container of the edge: nobody special, no capability, none to be had. */
const UNPRIVILEGED = [
  '--reuid',
  '65534',
  '--regid',
  '65534',
  '--clear-groups',
  '--no-new-privs',
  '--inh-caps=-all',
  '--bounding-set',
  '-all',
];
const setpriv = (...args: string[]) => spawnSync(findBinary('setpriv', 'util-linux'), args, { encoding: 'utf8' });

describe('the edge without any capability', () => {
  it('could not start with the capability of Caddy’s image, and starts without it', () => {
    const folder = tempFolder('capabilities');
    chmodSync(folder, 0o755);
    const program = join(folder, 'caddy');
    copyFileSync(binaries.caddy(), program);
    chmodSync(program, 0o755);
    execFileSync(findBinary('setcap', 'libcap2-bin'), ['cap_net_bind_service=+ep', program]);
    const version = () => setpriv(...UNPRIVILEGED, program, 'version');
    expect([version().status, version().stderr]).toEqual([126, expect.stringContaining('Operation not permitted')]);
    const [line] = stage('edge').runs.filter((run) => run.includes('/usr/bin/caddy'));
    execFileSync('sh', ['-c', line?.replaceAll('/usr/bin/caddy', program) ?? 'false']);
    expect([version().status, version().stderr]).toEqual([0, '']);
  });

  it('lets the edge listen on 80 and 443 with a sysctl that Docker allows', () => {
    const folder = tempFolder('edge');
    chmodSync(folder, 0o777);
    const [[name, value] = ['', '']] = Object.entries(compose.services['edge']?.sysctls ?? {});
    expect(name).toBe('net.ipv4.ip_unprivileged_port_start');
    // In a network of its own, as a container's; there the ports are free.
    const listen = (first: string) =>
      spawnSync(
        findBinary('unshare', 'util-linux'),
        [
          ...['--net', 'sh', '-c', `echo ${first} > /proc/sys/net/ipv4/ip_unprivileged_port_start; exec "$@"`, 'sh'],
          ...[findBinary('setpriv', 'util-linux'), ...UNPRIVILEGED],
          ...[
            process.execPath,
            '-e',
            'for (const port of [80, 443]) require("net").createServer().listen(port, function () { this.close(); })',
          ],
        ],
        { encoding: 'utf8', cwd: '/' },
      );
    expect(listen('1024').stderr).toContain('EACCES');
    expect([listen(value).status, listen(value).stderr]).toEqual([0, '']);
  });
});

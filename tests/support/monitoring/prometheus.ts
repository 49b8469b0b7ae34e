import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child, findBinary, freePort, type Stack, tempFolder, until } from '@chat-realtime/testkit';
import { parse, stringify } from 'yaml';
import { z } from 'zod';

export const MONITORING = join(fileURLToPath(new URL('../../../', import.meta.url)), 'deploy/monitoring');

export interface Target {
  readonly targets: string[];
  readonly labels: { readonly service: string; readonly instance: string };
}

const target = (address: string, service: string, instance = service): Target => ({
  targets: [new URL(address).host],
  labels: { service, instance },
});

/** What the services of the compose file are called there, under the addresses of this machine. */
export function targetsOf({ addresses: { auth, chat, dispatcher, gateways } }: Stack, probe?: string): Target[] {
  return [
    target(auth, 'auth-service'),
    target(chat, 'chat-service'),
    target(dispatcher, 'channel-dispatcher'),
    ...gateways.map((address, index) => target(address, 'channel-gateway', `channel-gateway-${index + 1}`)),
    ...(probe === undefined ? [] : [target(probe, 'probe')]),
  ];
}

const seriesSchema = z.object({
  metric: z.record(z.string(), z.string()),
  values: z.array(z.tuple([z.number(), z.string()])),
});
export type Series = z.infer<typeof seriesSchema>;
const rangeSchema = z.object({ data: z.object({ result: z.array(seriesSchema) }) });
const vectorSchema = z.object({
  data: z.object({
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
  }),
});

/** Debian's Prometheus with the rules and the settings of deploy/; only the names of the compose network are exchanged. */
export class Prometheus {
  readonly #child: Child;
  readonly #url: string;

  private constructor(child: Child, url: string) {
    this.#child = child;
    this.#url = url;
  }

  static async start(
    targets: readonly Target[],
    { alertmanagerPort, data }: { alertmanagerPort?: number; data?: string } = {},
  ): Promise<Prometheus> {
    const folder = tempFolder('prometheus');
    cpSync(MONITORING, folder, { recursive: true });
    const config = z
      .looseObject({ scrape_configs: z.array(z.looseObject({ job_name: z.string() })) })
      .parse(parse(readFileSync(join(MONITORING, 'prometheus.yml'), 'utf8')));
    const managers =
      alertmanagerPort === undefined ? [] : [{ static_configs: [{ targets: [`127.0.0.1:${alertmanagerPort}`] }] }];
    const placed = {
      ...config,
      alerting: { alertmanagers: managers },
      scrape_configs: [{ job_name: 'chat', static_configs: targets }],
    };
    writeFileSync(join(folder, 'prometheus.yml'), stringify(placed));
    const port = await freePort();
    const child = new Child({
      name: 'Prometheus',
      command: findBinary('prometheus', 'prometheus'),
      args: [
        `--config.file=${folder}/prometheus.yml`,
        `--storage.tsdb.path=${data ?? join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      env: { PATH: process.env['PATH'] ?? '' },
    });
    const prometheus = new Prometheus(child, `http://127.0.0.1:${port}`);
    await until(async () => (await fetch(`http://127.0.0.1:${port}/-/ready`)).ok, { what: 'Prometheus to be ready' });
    return prometheus;
  }

  /** Throws with Prometheus' own words when it does not understand the expression. */
  async #ask(
    path: string,
    parameters: { readonly query: string } & Readonly<Record<string, string>>,
  ): Promise<unknown> {
    const answer = await fetch(`${this.#url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`);
    if (!answer.ok) throw new Error(`${parameters.query}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  async now(query: string, time?: number): Promise<{ metric: Record<string, string>; value: [number, string] }[]> {
    const at: Record<string, string> = time === undefined ? {} : { time: String(time) };
    return vectorSchema.parse(await this.#ask('query', { ...at, query })).data.result;
  }

  async range(query: string, start: number, end: number, step: number): Promise<Series[]> {
    const span = { start: String(start), end: String(end), step: String(step) };
    return rangeSchema.parse(await this.#ask('query_range', { query, ...span })).data.result;
  }

  /** Resolves when every target was scraped at least once and found well. */
  async seen(count: number): Promise<void> {
    await until(
      async () => {
        const up = await this.now('up');
        return up.length === count && up.every(({ value }) => value[1] === '1');
      },
      { timeoutMs: 60_000, what: 'Prometheus to have scraped all services' },
    );
  }

  /** With what it has, so that it can be read again. */
  stop(): Promise<unknown> {
    return this.#child.stop('SIGTERM', 20_000);
  }
}

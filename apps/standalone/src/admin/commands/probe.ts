import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError, createLogger, createMetrics, loadConfig } from '@chat-realtime/service-kit';
import { type AdminCommand, type AdminContext, AdminRefusal, AdminUsageError } from '../command.ts';
import { probeEnvironment } from '../../probe/config.ts';
import { Probe, type ProbeResult } from '../../probe/probe.ts';

const lineOf = ({ transport, role, seconds }: ProbeResult): string =>
  [transport, role, ...seconds.map((value) => (value === null ? 'lost' : `${Math.round(value * 1_000)} ms`))].join(
    '\t',
  );

function configOf(env: AdminContext['env']) {
  try {
    return loadConfig(probeEnvironment, env);
  } catch (error) {
    if (error instanceof ConfigError) throw new AdminRefusal(error.message);
    throw error;
  }
}

export const probe: AdminCommand = {
  async run({ args, env, progress }) {
    const once_ = args[0] === '--once';
    if (args.length > (once_ ? 1 : 0)) throw new AdminUsageError('probe [--once]');
    const config = configOf(env);
    const logger = createLogger({ service: 'probe', level: once_ ? 'silent' : config.LOG_LEVEL });
    const metrics = createMetrics('probe');
    const prober = new Probe(config, logger, metrics);
    if (once_) {
      progress('posting as a customer and as an operator, and reading on every transport …');
      const { results, failure } = await prober.round();
      const ok = failure === null && results.every(({ seconds }) => !seconds.includes(null));
      const text = failure === null ? results.map(lineOf).join('\n') : `nothing could be tried: ${failure}`;
      return { result: { ok, results, failure }, text, ...(ok ? {} : { failed: true }) };
    }
    const server = createServer((request, response) => {
      if (request.url === '/healthz') return void response.end('{"status":"ok"}');
      if (request.url !== '/metrics') return void response.writeHead(404).end();
      metrics.collect().then(
        (body) => response.writeHead(200, { 'content-type': metrics.contentType }).end(body),
        () => response.writeHead(500).end(),
      );
    });
    server.listen({ host: config.HOST, port: config.PORT });
    await once(server, 'listening');
    logger.info(
      { host: config.HOST, port: config.PORT, every_seconds: config.PROBE_EVERY_SECONDS },
      'the probe posts as a customer and as an operator, and reads on every transport',
    );
    const ending = new AbortController();
    // Not `once`: npm passes on the Ctrl+C that the terminal has already sent, and a second one would kill the process.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => ending.abort());
    let rounds = 0;
    while (!ending.signal.aborted) {
      const begun = performance.now();
      await prober.round();
      rounds += 1;
      const rest = config.PROBE_EVERY_SECONDS * 1_000 - (performance.now() - begun);
      // Ends early when it is told to.
      await sleep(Math.max(0, rest), undefined, { signal: ending.signal }).catch(() => undefined);
    }
    server.closeAllConnections();
    server.close();
    return { result: { rounds }, text: `${rounds} rounds` };
  },
};

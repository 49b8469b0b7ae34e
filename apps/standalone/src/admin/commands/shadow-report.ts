import { AdminRefusal, AdminUsageError, type AdminCommand } from '../command.ts';

const SEEN = ['both', 'channel_only', 'polling_only'] as const;
const USAGE = 'shadow-report <address of /metrics of each gateway> …; METRICS_TOKEN where it wants one';
const TIMEOUT_MS = 10_000;

interface Figures {
  readonly both: number;
  readonly channel_only: number;
  readonly polling_only: number;
  /** Median of how much earlier the channel was, as the upper bound of its bucket in seconds; null: nothing seen. */
  readonly ahead_p50_seconds: number | null;
}

/** Sum of the samples of a series whose labels have all of these, by what is left of them. */
function samples(text: string, name: string): { labels: string; value: number }[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`))
    .map((line) => ({
      labels: line.slice(name.length + 1, line.lastIndexOf('}')),
      value: Number(
        line
          .slice(line.lastIndexOf('}') + 1)
          .trim()
          .split(' ')[0],
      ),
    }));
}

export function figuresOf(texts: readonly string[]): Figures {
  const counts = { both: 0, channel_only: 0, polling_only: 0 };
  const buckets = new Map<number, number>();
  for (const text of texts) {
    for (const { labels, value } of samples(text, 'chat_shadow_messages_total')) {
      const seen = SEEN.find((one) => labels.includes(`seen="${one}"`));
      if (seen !== undefined) counts[seen] += value;
    }
    for (const { labels, value } of samples(text, 'chat_shadow_ahead_seconds_bucket')) {
      const bound = /le="([^"]+)"/.exec(labels)?.[1] ?? '+Inf';
      const seconds = bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound);
      buckets.set(seconds, (buckets.get(seconds) ?? 0) + value);
    }
  }
  const sorted = [...buckets].toSorted(([a], [b]) => a - b);
  const all = sorted.at(-1)?.[1] ?? 0;
  const median = all === 0 ? undefined : sorted.find(([, count]) => count >= all / 2)?.[0];
  return { ...counts, ahead_p50_seconds: median ?? null };
}

async function read(url: string, token: string | undefined): Promise<string> {
  const answer = await fetch(url, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: unknown) => {
    throw new AdminRefusal(`${url}: ${error instanceof Error ? error.message : String(error)}`);
  });
  if (!answer.ok) throw new AdminRefusal(`${url} answered ${answer.status}`);
  return answer.text();
}

/** Says whether polling and channel have shown the same since the gateways were started; 1 where they have not. */
export const shadowReport: AdminCommand = {
  async run({ args, env, progress }) {
    if (args.length === 0) throw new AdminUsageError(USAGE);
    progress(`reading what ${args.length} gateway${args.length === 1 ? '' : 's'} counted …`);
    const figures = figuresOf(await Promise.all(args.map((url) => read(url, env['METRICS_TOKEN']))));
    const { both, channel_only: channelOnly, polling_only: pollingOnly, ahead_p50_seconds: ahead } = figures;
    const differences = channelOnly + pollingOnly;
    return {
      result: { ...figures, differences },
      text: [
        `seen on both ways      ${both}`,
        `by the channel alone   ${channelOnly}`,
        `by polling alone       ${pollingOnly}`,
        `channel ahead (median) ${ahead === null ? 'nothing seen yet' : `at most ${ahead} s`}`,
        differences === 0 ? 'No difference.' : `${differences} differences: do not go on before they are explained.`,
      ].join('\n'),
      failed: differences > 0,
    };
  },
};

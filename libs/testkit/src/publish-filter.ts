import { RespCommandReader } from './resp.ts';

export interface DropRule {
  /** The channel: exactly this text, or matching this pattern. */
  channel: string | RegExp;
  /** Only messages whose text matches. */
  payload?: RegExp;
  /** How many matching messages to let through first. Default 0. */
  skip?: number;
  /** How many to swallow. Default 1; Infinity = all from then on. */
  count?: number;
}

export interface Drop {
  /** Messages swallowed so far. */
  readonly dropped: number;
  /** Payloads swallowed so far. */
  readonly payloads: readonly string[];
  /** Lets everything through again. */
  end(): void;
}

interface ActiveRule {
  rule: DropRule;
  seen: number;
  payloads: string[];
}

/**
 * Swallows PUBLISH commands on their way to Redis. The command still arrives, under a channel name of the same length
 * that nobody listens to: so the publisher gets its answer, in order, and only the message is lost, as it is when
 * Redis drops a subscriber.
 */
export class PublishFilter {
  readonly #rules = new Set<ActiveRule>();

  add(rule: DropRule): Drop {
    const active: ActiveRule = { rule, seen: 0, payloads: [] };
    this.#rules.add(active);
    return {
      get dropped() {
        return active.payloads.length;
      },
      payloads: active.payloads,
      end: () => void this.#rules.delete(active),
    };
  }

  /** One per connection, since a command may be cut anywhere. */
  stream(): (chunk: Buffer) => Buffer {
    const reader = new RespCommandReader();
    return (chunk) => {
      const parts = reader.push(chunk).map((part) => {
        if (Buffer.isBuffer(part)) return part;
        const [name, channel, payload] = part.args;
        if (name === undefined || channel === undefined || payload === undefined) return part.bytes;
        if (!/^s?publish$/i.test(name.toString('latin1'))) return part.bytes;
        if (!this.#swallow(channel.toString(), payload)) return part.bytes;
        const changed = Buffer.from(part.bytes);
        const start = part.offsets[1] ?? 0;
        const end = start + channel.length;
        changed.fill('~', start, end);
        // A publisher's permissions are by name too: session 0, or anything that looks like a session, belongs to
        // nobody.
        const kept = channel.indexOf('chat:') + 'chat:'.length;
        if (channel.includes('chat:')) {
          channel.copy(changed, start, 0, kept);
          changed.fill('0', start + kept, Math.min(start + kept + 1, end));
        }
        return changed;
      });
      return parts.length === 1 ? (parts[0] ?? Buffer.alloc(0)) : Buffer.concat(parts);
    };
  }

  #swallow(channel: string, payload: Buffer): boolean {
    for (const active of this.#rules) {
      const { rule } = active;
      const channelFits = typeof rule.channel === 'string' ? rule.channel === channel : rule.channel.test(channel);
      if (!channelFits || (rule.payload !== undefined && !rule.payload.test(payload.toString()))) continue;
      active.seen += 1;
      if (active.seen <= (rule.skip ?? 0)) continue;
      if (active.payloads.length >= (rule.count ?? 1)) continue;
      active.payloads.push(payload.toString());
      return true;
    }
    return false;
  }
}

import {
  type BrokerEphemeral,
  type BrokerEvent,
  brokerEphemeralSchema,
  brokerEventSchema,
} from '@chat-realtime/protocol';

/** Why a message can't be used; few and fixed, since they are metric labels. */
export const BAD_MESSAGES = ['invalid_json', 'invalid_event', 'unknown_version'] as const;
export type BadReason = (typeof BAD_MESSAGES)[number];

export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: BadReason };

export function decodeEvent(content: Buffer): Decoded<BrokerEvent> {
  const json = parse(content);
  if (!json.ok) return json;
  const parsed = brokerEventSchema.safeParse(json.value);
  return parsed.success ? { ok: true, value: parsed.data } : { ok: false, reason: reasonOf(json.value) };
}

export function decodeEphemeral(content: Buffer): Decoded<BrokerEphemeral> {
  const json = parse(content);
  if (!json.ok) return json;
  const parsed = brokerEphemeralSchema.safeParse(json.value);
  return parsed.success ? { ok: true, value: parsed.data } : { ok: false, reason: reasonOf(json.value) };
}

function parse(content: Buffer): Decoded<unknown> {
  try {
    const value: unknown = JSON.parse(content.toString());
    return { ok: true, value };
  } catch {
    return { ok: false, reason: 'invalid_json' };
  }
}

function reasonOf(value: unknown): BadReason {
  const versioned = typeof value === 'object' && value !== null && 'v' in value;
  return versioned && value.v !== 1 ? 'unknown_version' : 'invalid_event';
}

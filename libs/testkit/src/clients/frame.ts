import { z } from 'zod';

/**
 * The common part of all frames. It is loose on purpose: a client must ignore unknown fields, and a test checks the
 * exact shape with the schemas of the contract where that is its subject.
 */
const frameSchema = z.object({
  type: z.string(),
  session_id: z.number().nullable().optional(),
  seq: z.number().nullable().optional(),
  feed_id: z.number().optional(),
  feed_seq: z.number().optional(),
  cursor: z.string().optional(),
  data: z.record(z.string(), z.unknown()).optional(),
});

export interface Frame {
  readonly type: string;
  readonly session_id: number | null;
  readonly seq: number | null;
  readonly feed_id: number | undefined;
  readonly feed_seq: number | undefined;
  readonly cursor: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;
  /** The bytes as they came, for tests that compare observers. */
  readonly raw: string;
  readonly receivedAt: number;
}

export type FramePredicate = (frame: Frame) => boolean;

export function parseFrame(raw: string): Frame {
  return frameFrom(JSON.parse(raw), raw);
}

export function frameFrom(value: unknown, raw: string = JSON.stringify(value)): Frame {
  const parsed = frameSchema.parse(value);
  return {
    type: parsed.type,
    session_id: parsed.session_id ?? null,
    seq: parsed.seq ?? null,
    feed_id: parsed.feed_id,
    feed_seq: parsed.feed_seq,
    cursor: parsed.cursor,
    data: parsed.data ?? {},
    raw,
    receivedAt: Date.now(),
  };
}

export function ofType(type: string): FramePredicate {
  return (frame) => frame.type === type;
}

/** A frame that carries this message text. */
export function withBody(body: string): FramePredicate {
  return (frame) => frame.data['body'] === body;
}

/** One line per frame: what a failed assertion should print. */
export function describeFrames(frames: readonly Frame[]): string {
  if (frames.length === 0) return '(no frame)';
  return frames
    .slice(-30)
    .map(
      (frame) =>
        `${frame.type} session=${frame.session_id} seq=${frame.seq} ${JSON.stringify(frame.data).slice(0, 160)}`,
    )
    .join('\n');
}

import type { Frame } from '../api/transport.ts';

export function parseFrame(text: unknown): Frame | null {
  try {
    const value = JSON.parse(String(text)) as Frame | null;
    return typeof value?.type === 'string' ? value : null;
  } catch {
    // A middle-box put something of its own into the stream.
    return null;
  }
}

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { clientFrameSchema, controlFrameSchema } from './channel.ts';
import { ephemeralFrameSchema, sessionEventSchema, staffEventSchema } from './events.ts';
import { errorResponseSchema } from './error-answers.ts';

const FOLDER = new URL('../../../docs/protocol/transcripts/', import.meta.url);
const downSchema = z.union([sessionEventSchema, staffEventSchema, ephemeralFrameSchema, controlFrameSchema]);
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));

/** Frames down: a line of JSON with a type, over SSE behind `data:`. */
function frames(text: string, mark: '<' | '>'): string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${mark} `))
    .map((line) => line.slice(2).replace(/^data: /, ''))
    .filter((line) => /^\{.*"type":/.test(line));
}

describe.each(files)('transcript %s', (name) => {
  const text = readFileSync(new URL(name, FOLDER), 'utf8');

  it('[FRM1] contains only frames that the schemas know, each key once', () => {
    for (const line of frames(text, '<')) {
      const value: unknown = JSON.parse(line);
      expect(JSON.stringify(value), 'a key stands twice').toBe(line);
      expect(downSchema.safeParse(value).error?.message, line).toBeUndefined();
    }
    if (name === 'bad-frames.txt') return;
    for (const line of frames(text, '>'))
      expect(clientFrameSchema.safeParse(JSON.parse(line)).success, line).toBe(true);
  });

  it('[ERR1] contains only errors in the envelope', () => {
    for (const [, body] of text.matchAll(/^< 4\d\d (\{.*)$/gm)) {
      expect(errorResponseSchema.safeParse(JSON.parse(body ?? '')).success, body).toBe(true);
    }
  });

  it('[ERR15] contains no secret', () => {
    expect(text).not.toMatch(/\bk\d\.\d{10}\./);
    expect(text).not.toMatch(/\beyJ[\w-]{10}/);
    expect(text).not.toMatch(/"resume_key":"[\w-]{43}"/);
  });
});

it('[FRM1] transcripts exist for every transport', () => {
  for (const name of ['websocket-resume', 'sse-resume', 'poll', 'staff-resume', 'refresh', 'goodbye', 'limit']) {
    expect(files).toContain(`${name}.txt`);
  }
});

import { ERROR_CODES, type ErrorCode, errorResponseSchema } from '@chat-realtime/protocol';
import type { HttpAnswer } from '@chat-realtime/testkit';
import { expect } from 'vitest';

interface SeenError {
  readonly code: string;
  readonly message: string;
  readonly requestId: string;
  readonly details: unknown;
}

/** [ERR1] [ERR2] the one envelope, with the status that belongs to the code. */
export function expectError(answer: HttpAnswer, ...codes: [ErrorCode, ...ErrorCode[]]): SeenError {
  const context = `${answer.line} → ${answer.status} ${answer.text.slice(0, 300)}`;
  expect(answer.header('content-type') ?? '', context).toMatch(/^application\/json\b/);
  const { error } = answer.as(errorResponseSchema, answer.status);
  expect(codes.map(String), context).toContain(error.code);
  const code = codes.find((candidate) => candidate === error.code);
  if (code !== undefined) expect(answer.status, context).toBe(ERROR_CODES[code].status);
  expect(error.request_id, context).not.toBe('');
  expect(error.message, context).not.toBe('');
  if (answer.status === 429 || answer.status === 503)
    expect(answer.header('retry-after'), context).toMatch(/^[1-9]\d*$/);
  return { code: error.code, message: error.message, requestId: error.request_id, details: error.details };
}

/** Paths that `details.fields` of a 422 names. */
export function fieldPaths(error: SeenError): string[] {
  const { details } = error;
  if (typeof details !== 'object' || details === null || !('fields' in details) || !Array.isArray(details.fields))
    return [];
  const fields: unknown[] = details.fields;
  return fields.flatMap((field) =>
    typeof field === 'object' && field !== null && 'path' in field && typeof field.path === 'string'
      ? [field.path]
      : [],
  );
}

import { errorResponseSchema } from '@chat-realtime/protocol';
import { expect } from 'vitest';
import type { z } from 'zod';

/** Checks an answer against the contract's error envelope. */
export async function expectError(
  response: Response,
  status: number,
  code: string,
): Promise<z.infer<typeof errorResponseSchema>['error']> {
  const text = await response.text();
  expect({ status: response.status, text }).toMatchObject({ status });
  const { error } = errorResponseSchema.parse(JSON.parse(text));
  expect(error.code).toBe(code);
  expect(error.request_id).toBe(response.headers.get('x-request-id'));
  expect(response.headers.get('content-type')).toContain('application/json');
  return error;
}

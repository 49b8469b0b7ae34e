import { describe, expect, it } from 'vitest';
import { ChatError, ERROR_CODES } from './errors.ts';
import { errorResponseSchema } from './error-answers.ts';

describe('errors', () => {
  it('[ERR2] have a status of the contract for every code', () => {
    for (const [code, entry] of Object.entries(ERROR_CODES)) {
      expect([400, 401, 403, 404, 405, 409, 413, 415, 422, 426, 429, 500, 503, 507], code).toContain(entry.status);
    }
  });

  it('[ERR2] take the status from the code', () => {
    const error = new ChatError('already_assigned', 'anna has it', { details: { assigned_user_id: '1' } });
    expect(error).toBeInstanceOf(Error);
    expect(error.status).toBe(409);
    expect(error.details).toEqual({ assigned_user_id: '1' });
  });

  it('keep the cause and the seconds to wait', () => {
    const cause = new Error('connection lost');
    const error = new ChatError('unavailable', 'the database is away', { cause, retryAfterSeconds: 3 });
    expect(error.cause).toBe(cause);
    expect(error.retryAfterSeconds).toBe(3);
    expect(new ChatError('not_found', 'no').cause).toBeUndefined();
  });

  it('[ERR1] need code, message and request_id in the envelope', () => {
    expect(
      errorResponseSchema.safeParse({ error: { code: 'not_found', message: 'no', request_id: 'r1' } }).success,
    ).toBe(true);
    expect(errorResponseSchema.safeParse({ error: { code: 'not_found', message: 'no' } }).success).toBe(false);
    expect(errorResponseSchema.safeParse({ code: 'not_found' }).success).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { createLogger, type LogFields, type LogLevel } from './logger.ts';

function logged(fields: LogFields, message = 'message', level: LogLevel = 'debug'): string {
  const lines: string[] = [];
  createLogger({ service: 'test', level, destination: { write: (line) => void lines.push(line) } }).info(
    fields,
    message,
  );
  return lines.join('');
}

describe('logger', () => {
  it('[OPS8] writes JSON lines with service, level and time', () => {
    const line: unknown = JSON.parse(
      logged({ session_id: 7, seq: 3, route: '/chat/session/:id', ok: true, duration_s: 0.2 }),
    );
    expect(line).toMatchObject({
      service: 'test',
      level: 'info',
      message: 'message',
      session_id: 7,
      seq: 3,
      route: '/chat/session/:id',
      ok: true,
      duration_s: 0.2,
    });
    expect(logged({}, 'x', 'warn')).toBe('');
  });
  it('[OPS8] shows text only under names that are known to be harmless', () => {
    const line = logged({
      body: 'Hello, I am Anna',
      name: 'Anna',
      comment: 'call me',
      whatever: 'secret text',
      data: { deep: { body: 'Hello' } },
      phone: 79_990_000_000,
      list: ['Anna'],
      token_ttl: 5,
    });
    for (const leak of ['Anna', 'Hello', 'call me', 'secret text', '79990000000']) expect(line).not.toContain(leak);
  });
  const secrets = {
    channelToken: 'k1.1762587011.12CB2wIZQzgSncNVqukwL52L2rC_Kccv0cY5dNBq5ps',
    jwt: 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.c2lnbmF0dXJl',
    truncatedJwt: 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIi',
    refresh: 'Zx3kQ9mW2vB7nC4xL8pR1tY6uI0oA5sD_fGhJkEeRrT',
    hex: '0f3c9a77be0f3c9a77be0f3c9a77be0f3c9a77be0f3c9a77be0f3c9a77be1234',
    mail: 'anna.petrova@example.org',
    cyrillicMail: 'анна@пример.рф',
    phone: '+7 (999) 123-45-67',
    password: 'hunter2',
  };
  const places: readonly ((secret: string) => string)[] = [
    (secret) => logged({ reason: `refused ${secret} here` }),
    (secret) => logged({}, `GET /chat/1/stream?sig=${secret} failed`),
    (secret) => logged({ err: new Error(`bad ${secret}`, { cause: new Error(secret) }) }),
    (secret) => logged({ path: `/chat/stream?sig=${secret}&x=1` }),
    (secret) => logged({ [secret]: 1 }),
    (secret) => logged({ state: { reason: secret }, code: [secret] }),
  ];
  it.each(Object.entries(secrets).filter(([name]) => name !== 'password'))(
    '[OPS8] masks a %s wherever it stands',
    (_name, secret) => {
      for (const [index, place] of places.entries()) {
        // A field's name is shortened before it is masked, so that only the whole of a short secret is looked for there.
        if (index === 4 && secret.length > 64) continue;
        expect({ index, line: place(secret) }).toMatchObject({ line: expect.not.stringContaining(secret) });
      }
    },
  );
  it('[OPS8] masks credentials in URLs and headers', () => {
    const line = logged({
      err: new Error('connect postgres://chat:hunter2@db:5432/chat failed'),
      reason: 'Authorization: Bearer hunter2 and bearer.hunter2',
    });
    expect(line).not.toContain('hunter2');
    expect(line).toContain('db:5432');
  });
  it('keeps what operators need: ids of requests and traces, addresses, figures, stacks', () => {
    const line = logged({
      request_id: '6f1f4c1e-9d38-4f0e-8a53-0c8dbe6d1b11',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      client_ip: '203.0.113.5',
      err: new Error('boom'),
    });
    for (const kept of [
      '6f1f4c1e-9d38-4f0e-8a53-0c8dbe6d1b11',
      '4bf92f3577b34da6a3ce929d0e0e4736',
      '203.0.113.5',
      'logger.test.ts',
      'boom',
    ])
      expect(line).toContain(kept);
  });
  it('describes errors with type, code and cause', () => {
    const cause = Object.assign(new RangeError('too far'), { code: 'E_FAR' });
    const line: unknown = JSON.parse(logged({ err: new TypeError('wrong', { cause }) }));
    expect(line).toMatchObject({
      err: { type: 'TypeError', message: 'wrong', cause: { type: 'RangeError', code: 'E_FAR' } },
    });
  });
  it('survives cycles, depth and size', () => {
    const loop: Record<string, unknown> = { reason: 'x'.repeat(100_000) };
    loop['state'] = loop;
    expect(logged(loop).length).toBeLessThan(20_000);
  });
  it('keeps the fields of a child logger, filtered', () => {
    const lines: string[] = [];
    const parent = createLogger({ service: 'test', destination: { write: (line) => void lines.push(line) } });
    parent.child({ component: 'relay', body: 'Hello' }).warn({ seq: 1 }, 'late');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ component: 'relay', body: '[hidden]', seq: 1, level: 'warn' });
  });
});

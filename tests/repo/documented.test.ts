import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readDocument, undocumented } from '../support/documented.ts';

const document = readDocument(readFileSync(new URL('../../docs/protocol/openapi.json', import.meta.url), 'utf8'));
const judge = (method: string, path: string, status: number, code?: string): string | undefined =>
  undocumented(document, { method, path }, { status, code });

test('[ERR21] the answer checker knows documented answers, and names undocumented ones', () => {
  expect(judge('POST', '/chat/session/7/assign', 409, 'already_assigned')).toBeUndefined();
  expect(judge('POST', '/chat/session/7/messages', 415, 'unsupported_media_type')).toBeUndefined();
  expect(judge('GET', '/channel/ws?session=7', 426, 'upgrade_required')).toBeUndefined();
  expect(judge('GET', '/chat/sessions?limit=1', 200)).toBeUndefined();
  expect(judge('GET', '/operator/', 200)).toBeUndefined();
  expect(judge('POST', '/internal/acks', 404, 'not_found')).toBeUndefined();
  expect(judge('GET', '/chat/session/%00', 400, 'malformed_request')).toBeUndefined();
  expect(judge('GET', '/chat/session/7', 410, 'gone')).toContain('status');
  expect(judge('PATCH', '/chat/sessions', 405, 'method_not_allowed')).toBeUndefined();

  expect(judge('POST', '/chat/session/7/close', 418)).toContain('status');
  expect(judge('POST', '/chat/session/7/close', 409, 'shortcut_taken')).toContain('document');
  expect(judge('GET', '/chat/sessions', 401, 'not_found')).toContain('code');
  expect(judge('GET', '/chat/sessions', 401)).toContain('code');
  expect(judge('PATCH', '/chat/sessions', 200)).toContain('method');
});

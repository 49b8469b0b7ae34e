import { ChatClientError } from '@chat-realtime/client/staff';
import { describe, expect, it } from 'vitest';
import { fileLimits, readFileLimits } from './file-limits.ts';
import { FILE_KINDS, kindsOf, megabytesOf, otherTypes, toBytes } from './file-policy.ts';

describe('the policy of files', () => {
  it('[ATT11] a saved list is shown as offered boxes and typed types', () => {
    const types = ['application/zip', 'text/plain', 'image/*'];
    expect(kindsOf(types, FILE_KINDS)).toEqual(['image/*', 'text/plain']);
    expect(otherTypes(types, FILE_KINDS)).toEqual(['application/zip']);
  });

  it('[ATT11] a size is typed in megabytes, and the same limit is read back to the byte', () => {
    expect([megabytesOf(10_485_760), megabytesOf(1_572_864), megabytesOf(10_000_000)]).toEqual(['10', '1.5', '9.53']);
    expect(toBytes('9.53', 10_000_000)).toBe(10_000_000);
    expect(toBytes('1.5', 10_485_760)).toBe(1_572_864);
    expect([toBytes('99', 10_485_760), toBytes('0', 10_485_760)]).toEqual([10_485_760, 1]);
  });

  it('[ATT11] the composer knows what the server accepts, and keeps it while the server does not answer', async () => {
    const attachments = { max_bytes: 500, max_per_message: 5, mime: ['image/*', 'application/pdf'] };
    let asked = 0;
    const api = { config: () => ((asked += 1), Promise.resolve({ attachments })) };
    await readFileLimits(api);
    await readFileLimits(api);
    expect(asked).toBe(1);
    expect(fileLimits.getState()).toEqual({ maxBytes: 500, perMessage: 5, accept: 'image/*,application/pdf' });
    const away = { config: () => Promise.reject(new ChatClientError('network', 'away', { status: 0 })) };
    await readFileLimits(away, true);
    expect(fileLimits.getState().maxBytes).toBe(500);
    Object.assign(attachments, { max_per_message: 0, mime: [] });
    await readFileLimits(api);
    expect([asked, fileLimits.getState().perMessage]).toEqual([2, 0]);
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { operatorPolicy, policyOf } from './page-policy.ts';

const TEMPLATE = readFileSync(new URL('../../../deploy/nginx/chat.conf.template', import.meta.url), 'utf8');

describe('the policy of the pages', () => {
  it('is the same behind nginx', () => {
    const stated = [...TEMPLATE.matchAll(/add_header Content-Security-Policy "([^"]+)"/g)].map(([, policy]) => policy);
    const ours = operatorPolicy({ tokenUrl: 'https://shop.example/token' }).replace(
      ' https://shop.example;',
      '${OPERATOR_CONNECT};',
    );
    expect(stated).toContain(ours);
    expect(stated).toContain(policyOf({ framedBy: "'none'" }));
    expect(new Set(stated).size).toBe(2);
  });

  it('lets only its own origin frame the console, and lets the console request tokens from the site', () => {
    expect(operatorPolicy({ tokenUrl: null })).toMatch(/connect-src 'self' ws: wss:;.* frame-ancestors 'self'$/);
    expect(operatorPolicy({ tokenUrl: '/operator-token' })).toBe(operatorPolicy({ tokenUrl: null }));
    expect(operatorPolicy({ tokenUrl: 'https://shop.example/a;b' })).toContain("'self' ws: wss: https://shop.example;");
  });
});

import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { useChat } from '../../support/chat.ts';

const chat = await useChat('main');

describe('the documents at /docs/', () => {
  test('[OPS25] begin with a page in each language, safely and in UTF-8', async () => {
    for (const [path, lang] of [
      ['/docs/', 'en'],
      ['/docs/index.ru.html', 'ru'],
    ] as const) {
      const answer = await chat.http.get(path);
      expect(answer.status).toBe(200);
      expect(answer.header('content-type')).toMatch(/^text\/html/);
      expect(answer.header('x-content-type-options')).toBe('nosniff');
      expect(answer.header('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
      expect(answer.text).toContain(`<html lang="${lang}"`);
      expect(answer.text).toContain('<meta charset="utf-8">');
    }
  });

  test('[OPS25] all their links to pages, headings, pictures and files work', async () => {
    const pages = new Map<string, string>();
    const queue = ['/docs/'];
    const missing: string[] = [];
    for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
      if (pages.has(path)) continue;
      const answer = await chat.http.get(encodeURI(path));
      pages.set(path, answer.header('content-type')?.startsWith('text/html') === true ? answer.text : '');
      if (answer.status !== 200) missing.push(`${path}: ${answer.status}`);
      for (const [, target = ''] of (pages.get(path) ?? '').matchAll(/ (?:href|src)="([^"]*)"/g)) {
        const url = new URL(target.replaceAll('&amp;', '&'), `http://chat.example${path}`);
        if (url.host === 'chat.example' && url.pathname.startsWith('/docs/'))
          queue.push(decodeURIComponent(url.pathname));
      }
    }
    expect(missing).toEqual([]);
    expect(pages.size).toBeGreaterThan(40);
    for (const page of ['/docs/infra/runbook.html', '/docs/infra/runbook.ru.html', '/docs/protocol/SPEC.html'])
      expect([...pages.keys()]).toContain(page);
  });

  test('[OPS25] are searched without a network: the index is beside them and loads no other host', async () => {
    for (const name of ['search.en.json', 'search.ru.json']) {
      const index = z
        .looseObject({ documentCount: z.number() })
        .parse((await chat.http.get(`/docs/assets/${name}`)).json());
      expect(index.documentCount).toBeGreaterThan(100);
    }
    for (const name of ['docs.js', 'minisearch.js', 'docs.css']) {
      const answer = await chat.http.get(`/docs/assets/${name}`);
      expect(answer.status, name).toBe(200);
      expect(answer.text, name).not.toMatch(/(?:from|url\(|import\()\s*['"]?(?:https?:)?\/\//);
    }
  });
});

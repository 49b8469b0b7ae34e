import { describe, expect, it } from 'vitest';
import { originOf, widgetSnippet } from './snippets.ts';

describe('the snippet for a site', () => {
  it('reads the origin of a site from any of its addresses', () => {
    expect(originOf('https://shop.example/cart?x=1')).toBe('https://shop.example');
    expect(originOf('shop.example/cart')).toBe('https://shop.example');
    expect(['javascript:alert(1)', 'shop', ''].map(originOf)).toEqual([null, null, null]);
  });
  it('has the look as attributes', () => {
    const snippet = widgetSnippet('https://chat.example', { accent: '#112233', scheme: 'dark' });
    expect(snippet).toContain(
      'src="https://chat.example/widget/v1/loader.js" data-accent="#112233" data-scheme="dark">',
    );
  });
});

import { describe, expect, it } from 'vitest';
import { widgetSnippet } from './install-code.ts';

describe('the snippet for a site', () => {
  it('contains the look as attributes', () => {
    const snippet = widgetSnippet('https://chat.example', { accent: '#112233', scheme: 'dark' });
    expect(snippet).toContain(
      'src="https://chat.example/widget/v1/loader.js" data-accent="#112233" data-scheme="dark">',
    );
  });
});

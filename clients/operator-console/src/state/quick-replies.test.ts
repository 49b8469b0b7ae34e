import { slowest } from '@chat-realtime/testkit';
import { describe, expect, it } from 'vitest';
import { filled, matching } from './quick-replies.ts';
import { marked } from './highlight.ts';

describe('quick replies', () => {
  const replies = [
    { shortcut: 'hello', title: 'Greeting', text: 'Hello, {{name}}! I am {{operator}} of {{site}}.' },
    { shortcut: 'bye', title: 'The end', text: 'Say hello to all' },
  ];
  it('are found by key first, then by text', () => {
    expect(matching(replies, 'hel').map((reply) => reply.shortcut)).toEqual(['hello', 'bye']);
  });
  it('leave no gap if the name is unknown, and fill variables from this customer only', () => {
    const fill = (name: string | null): string =>
      filled(replies[0]?.text ?? '', { name, operator: 'Anna', site: 'shop.example' });
    expect(fill(null)).toBe('Hello! I am Anna of shop.example.');
    expect(fill('Max')).toBe('Hello, Max! I am Anna of shop.example.');
    expect(fill('{{operator}} $&')).toBe('Hello, {{operator}} $&! I am Anna of shop.example.');
  });
  it('take time proportional to their length, whatever reply, name and search contain', () => {
    const cost = slowest(4_000, (text) => [
      filled(text, { name: text, operator: text, site: text }),
      matching([{ shortcut: text, title: text, text }], text),
      ...[marked(text, text.slice(0, 200)), marked(text, text.slice(1, 3))],
    ]);
    expect(cost.ms, cost.text).toBeLessThan(40);
  });
});

import { describe, expect, it } from 'vitest';
import { alertLetter, replyLetter, transcriptLetter } from './mail-texts.ts';

const message = (body: string, sender_name: string | null = 'Анна') => ({
  id: 1,
  sender_type: 'operator' as const,
  sender_id: 'anna',
  sender_name,
  body,
  attachments: [],
  created_at: '2026-01-01T00:00:00.000Z',
  client_message_id: '00000000-0000-4000-8000-000000000000',
});
const reply = (language: 'ru' | 'en', body: string, name: string | null = null) =>
  replyLetter({
    language,
    site: 'Лампы <и> Ко',
    name,
    messages: [message(body, '<b>Анна</b>')],
    count: 1,
    link: { kind: 'chat', url: 'https://shop.example/?a=1&b=2#chat-return=code' },
    canReply: true,
    unsubscribeUrl: 'https://chat.shop.example/chat/mail/unsubscribe?sig=1.x',
  });

describe('a mail of the chat', () => {
  it("says the same as text and as HTML, in the chat's language", () => {
    const { text, html } = reply('en', 'first line\nsecond line');
    for (const form of [text, html.replaceAll('<br>', '\n')]) {
      expect(form).toContain('while you were away');
      expect(form).toMatch(/first line\n\s*second line/);
      expect(form).toContain('— Reply above this line —');
    }
    expect(text).toContain('https://shop.example/?a=1&b=2#chat-return=code');
    expect(html).toContain('href="https://shop.example/?a=1&amp;b=2#chat-return=code"');
    expect(html).toContain('href="https://chat.shop.example/chat/mail/unsubscribe?sig=1.x"');
    expect(html).toContain('<html lang="en">');
  });

  it('escapes what people wrote', () => {
    const evil = '<img src=https://evil.example/x.png onerror=alert(1)>"\'&<script>';
    const { html } = reply('ru', evil, evil);
    expect(html).not.toMatch(/<(?:img|script|b>)/i);
    expect(html).toContain('&lt;img src=https://evil.example/x.png onerror=alert(1)&gt;&quot;&#39;&amp;&lt;script&gt;');
    expect(html).toContain('&lt;b&gt;Анна&lt;/b&gt;');
  });

  it('loads nothing when it is opened', () => {
    for (const { html } of [
      reply('ru', 'Да'),
      transcriptLetter('ru', 5, 'Лампы'),
      alertLetter('en', 'waiting', 5, 'https://chat.shop.example/operator/#/inbox/all/5'),
    ]) {
      expect(html).not.toMatch(/<(?:img|link|script|iframe|style|video|audio|object)\b|url\(|@import|\bsrc=/i);
      const addresses = [...html.matchAll(/\shref="([^"]*)"/g)].map(([, address = '']) => address);
      expect(addresses.every((address) => address.startsWith('https://'))).toBe(true);
    }
  });

  it('[NTF1] tells operators, in their language, that there is a message, but not its text', () => {
    const en = alertLetter('en', 'waiting', 5, 'https://chat.shop.example/operator/#/inbox/all/5');
    expect(en.subject).toBe('A customer is waiting (chat 5)');
    expect(en.text).toContain('Open the console:\nhttps://chat.shop.example/operator/#/inbox/all/5');
    expect(en.text + en.html).not.toMatch(/[а-яё]/i);
    expect(alertLetter('ru', 'callback_requested', null, 'https://x.example/').subject).toBe('Просят перезвонить');
  });
});

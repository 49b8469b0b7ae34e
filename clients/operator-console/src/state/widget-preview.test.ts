import type { ConfigResponse, SettingsResponse } from '@chat-realtime/client/staff';
import { describe, expect, it } from 'vitest';
import { previewConfig } from './widget-preview.ts';

const saved = { settings: { theme: {}, texts: {} }, effective: { texts: {} } } as SettingsResponse;
const config = (online: boolean, reply_time_text: string): ConfigResponse => ({
  online,
  reply_time_text,
  prechat_fields: [],
  consent: { version: '1', text: '', url: null },
  texts: {},
  theme: {},
  attachments: { max_bytes: 1, max_per_message: 1, mime: [] },
});

describe('the preview of the widget', () => {
  it('never says, about the hours, that somebody is back tomorrow', () => {
    const preview = (now: ConfigResponse, online: boolean): string =>
      previewConfig(now, saved, {}, {}, online).reply_time_text;
    expect(preview(config(false, 'Ответим завтра с 09:00'), true)).toBe('Обычно отвечаем в течение 30 минут');
    expect(preview(config(true, 'Отвечаем за час'), true)).toBe('Отвечаем за час');
  });
});

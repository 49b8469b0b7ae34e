import type { AuditEntry } from '@chat-realtime/client/staff';
import { describe, expect, it } from 'vitest';
import { en } from '../i18n/en.ts';
import { ru } from '../i18n/ru.ts';
import { auditDetails } from './audit-text.ts';

const said = (action: string, details: AuditEntry['details'], locale: 'ru' | 'en' = 'en'): string =>
  auditDetails(
    { id: 1, at: '2026-11-30T09:00:00.000Z', actor_id: '7', actor_name: 'Anna', action, subject: null, details },
    { texts: { ru, en }[locale], time: (iso) => iso, size: (bytes) => `${bytes / 1_048_576} MB` },
  );

/** Every setting that the log shows, with a value of each kind. */
const SAVED: AuditEntry['details'] = {
  'theme.accent': '#2f5d50',
  'theme.scheme': 'dark',
  'alerts.waiting_seconds': 60,
  'alerts.reply_unseen_seconds': 60,
  'alerts.callback_due_minutes': 60,
  'retention.messages': 365,
  'retention.files': 365,
  'retention.contacts': 365,
  'retention.callbacks': 365,
  'retention.alerts': 365,
  'tokens.channel_seconds': 3_600,
  'schedule.timezone': 'Europe/Moscow',
  'schedule.mon': ['09:00-18:00'],
  'schedule.sun': [],
  'schedule.holidays': 2,
  'consent.version': '2',
  prechat_fields: ['name*', 'email'],
  custom_fields: ['order'],
  'attachments.enabled': true,
  'attachments.max_bytes': 5_242_880,
  'attachments.types': ['image/*'],
  origins: ['https://shop.example'],
  'webhook.urls': 1,
  'webhook.secret': 'replaced',
  texts: ['greeting.ru', 'title'],
};

describe('the log of changes', () => {
  it('[SET9] names changed settings as the forms do, in both languages', () => {
    const details = { parts: ['retention'], 'retention.messages': 365, before: { 'retention.messages': null } };
    expect(said('settings.changed', details)).toBe('How long to keep, Messages: — → 365');
    expect(said('settings.changed', details, 'ru')).toBe('Сколько хранить, Сообщения: — → 365');
    expect(said('settings.changed', { parts: ['prechat_fields'], prechat_fields: ['name*'] }, 'ru')).toBe(
      'Вопросы перед чатом: Имя (обязательно)',
    );
    expect(said('settings.changed', { parts: ['schedule'], 'schedule.mon': ['09:00-18:00'] }, 'ru')).toBe(
      'Часы работы, Понедельник: 09:00-18:00',
    );
    expect(said('settings.changed', { parts: ['texts'], texts: ['greeting.ru'] }, 'ru')).toBe(
      'Тексты виджета: Приветствие (ru)',
    );
    // Only the text differs, which the log does not contain.
    expect(said('settings.changed', { parts: ['consent'] }, 'ru')).toBe('Согласие');
  });

  it.each(['ru', 'en'] as const)('[SET9] shows no key of the settings in %s', (locale) => {
    for (const [name, value] of Object.entries(SAVED)) {
      const [part = '', field] = name.split('.');
      const text = said('settings.changed', { parts: [part], [name]: value }, locale);
      expect(text).not.toContain(name);
      expect(text, name).not.toMatch(/_|undefined/);
      const [label = ''] = text.split(': ');
      if (locale === 'ru') expect(label, name).not.toMatch(/[a-z]/);
      if (field !== undefined) expect(label, name).toContain(', ');
    }
  });

  it('[AUTH26] describes changes of accounts', () => {
    expect(said('operator.changed', { role: 'admin', active: true, before: { role: 'operator', active: false } })).toBe(
      'role: operator → administrator; may sign in: no → yes',
    );
    expect(said('operator.changed', { active: false, before: { active: true }, by: 'oidc' }, 'ru')).toBe(
      'может входить: да → нет; чьё решение: провайдер входа',
    );
  });

  it('[AUD1] describes bans', () => {
    expect(said('ban.created', { ban_id: 4, by: 'customer', until: null }, 'ru')).toBe('Кого: Этот клиент; до: —');
  });

  it('[AUD1] describes what was erased', () => {
    expect(said('session.erased', { scope: 'customer' }, 'ru')).toBe('какие чаты: Все чаты этого клиента');
    expect(said('retention.erased', { messages: 3, callbacks: 1 }, 'ru')).toBe('Сообщения: 3; Просьбы о звонке: 1');
  });

  it('[AUTH26] describes a handover', () => {
    expect(said('operator.handed_over', { to: null, chats: 2 }, 'ru')).toBe('кому: —; чатов: 2');
  });

  it('shows the details of an unknown action as they are', () => {
    expect(said('from.tomorrow', { mood: ['good'], more: { a: 1 } })).toBe('mood: good; more: {"a":1}');
  });
});

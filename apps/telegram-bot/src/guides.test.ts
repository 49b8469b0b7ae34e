import { readFileSync } from 'node:fs';
import { ATTACHMENT_MAX_BYTES, type CallbackStaff, TELEGRAM_CODE_SECONDS } from '@chat-realtime/protocol';
import { describe, expect, it } from 'vitest';
import { parseStatus, STAFF_COMMANDS } from './domain/commands.ts';
import { callbackContent, chatButtons } from './domain/render.ts';
import { NOTICE_EVERY_MS } from './staff-group/members.ts';
import { GROUP_PROBLEMS } from './staff-group/problems.ts';
import { CALLS_PER_MINUTE } from './staff-group/worker.ts';
import { KEEP_HOURS } from './storage/topics.ts';
import { commandsFor, textsFor } from './texts.ts';

const read = (name: string): string => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');
/** One part of a document, from its heading to the next of the same rank. */
function part(name: string, heading: string): string {
  const [, after] = read(name).split(`\n## ${heading}\n`);
  return after?.split('\n## ')[0] ?? expect.fail(`${name} has no “${heading}”`);
}
/** The first two cells of rows that begin with code. */
const rows = (text: string): [string, string][] =>
  [...text.matchAll(/^\| `([^`]+)` \| ([^|]+) \|$/gm)].map(([, first = '', second = '']) => [first, second]);
const quoted = (text: string, language: 'ru' | 'en'): string[] =>
  [...text.matchAll(language === 'ru' ? /«([^»]+)»/g : /“([^”]+)”/g)].map(([, word = '']) => word);
const line = (text: string, start: string): string =>
  text.split('\n').find((one) => one.startsWith(start)) ?? expect.fail(`no line begins with “${start}”`);

const AT = '2026-01-01T00:00:00Z';
const CALLBACK: CallbackStaff = {
  ...{
    id: 1,
    session_id: null,
    status: 'new',
    phone: '+7 900 000-00-00',
    name: null,
    comment: null,
    preferred_at: null,
  },
  ...{ assigned_user_id: null, due_at: AT, result: null, created_at: AT, updated_at: AT },
};

describe.each([
  ['ru', 'operator-guide.ru.md', 'guides/telegram-group.ru.md'],
  ['en', 'operator-guide.md', 'guides/telegram-group.md'],
] as const)('[TG8] what the guides say about the bot, in %s', (language, guide, groupGuide) => {
  const texts = textsFor(language);
  const telegram = part(guide, 'Telegram');
  const group = read(groupGuide);
  const numbers = (text: string): number[] => [...text.matchAll(/\d+/g)].map(Number);

  it('names each command of the bot, and what it does', () => {
    const table = rows(telegram).map(([name, what]) => [name, what.replaceAll('`', '')]);
    expect(table.map(([name]) => name)).toEqual(STAFF_COMMANDS.map((name) => `/${name}`));
    const said = texts.helpOperator.split('\n').filter((one) => one.startsWith('/'));
    expect(said).toEqual(table.slice(0, -1).map(([name, what]) => `${name} — ${what}`));
    // The menu shows no command that the guide lacks.
    const menu = commandsFor(language, 'staff').map(({ command }) => command);
    expect(STAFF_COMMANDS).toEqual(expect.arrayContaining(menu));
    const [, words = ''] = rows(telegram).find(([name]) => name === '/status') ?? [];
    const states = [...words.matchAll(/`(\w+)`/g)].map(([, word = '']) => word);
    expect(states.map(parseStatus)).toEqual(['online', 'away', 'off']);
  });

  it('names each button, in the order in which they appear', () => {
    const buttons = line(telegram, language === 'ru' ? 'Под сообщением стоят кнопки' : 'Under a message there are');
    const steps = (['new', 'assigned', 'calling'] as const).flatMap(
      (status) => callbackContent(texts, { ...CALLBACK, status }, 'UTC').buttons?.flat() ?? [],
    );
    const shown = [...chatButtons(texts, 1, 'free').flat(), ...steps].map(({ text }) => text);
    expect(quoted(buttons, language)).toEqual(shown);
    const { take, close } = texts.buttons;
    const inGroup = line(group, language === 'ru' ? '- Под сообщениями клиента' : '- “Take” and');
    expect(quoted(inGroup, language)).toEqual([take, close]);
  });

  it('quotes the limits that the bot applies', () => {
    const code = line(telegram, '1.');
    expect(numbers(code).slice(1)).toEqual([TELEGRAM_CODE_SECONDS / 60]);
    const unbound = line(group, language === 'ru' ? '- Кто не привязан' : "- If someone's account");
    expect(numbers(unbound)).toEqual([NOTICE_EVERY_MS / 60_000]);
    const limits = part(groupGuide, language === 'ru' ? 'Пределы' : 'Limits');
    expect(numbers(limits)).toEqual([CALLS_PER_MINUTE, KEEP_HOURS]);
    expect(numbers(texts.tooMany)).toEqual([TELEGRAM_CODE_SECONDS / 60]);
    expect(numbers(texts.fileTooLarge(''))).toEqual([ATTACHMENT_MAX_BYTES / 1024 / 1024]);
  });

  it('lists each reason why the bot leaves its group or moves', () => {
    const causes = rows(part(groupGuide, language === 'ru' ? 'Если не работает' : 'When it does not work'));
    expect(causes.map(([cause]) => cause)).toEqual([...GROUP_PROBLEMS, 'moved', 'topic_deleted']);
  });
});

import { type CallbackStaff, type TelegramSession } from '@chat-realtime/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textsFor } from '../texts.ts';
import { MISSING_FILES_MAX } from './fallback-content.ts';
import { callbackContent, listedSession, textAndFiles } from './render.ts';
import { CAPTION_MAX } from './split-text.ts';

const texts = textsFor('ru');
const AT = '2026-01-01T10:00:00Z';
const SESSION: TelegramSession = {
  id: 1,
  name: null,
  status: 'open',
  assigned_user_id: null,
  assigned_user_name: null,
  unread_count: 0,
  waiting_since: null,
  last_message: null,
  last_message_id: 0,
  last_seq: 0,
};
const CALLBACK: CallbackStaff = {
  id: 4,
  session_id: 1,
  status: 'new',
  phone: '+79990000000',
  name: null,
  comment: null,
  preferred_at: null,
  due_at: AT,
  assigned_user_id: null,
  result: null,
  created_at: AT,
  updated_at: AT,
};

describe('[TG21] names and texts of people', () => {
  /** Many are cut, and some would be cut within a surrogate pair if UTF-16 units were counted. */
  const someText = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.nat({ max: 3 }).map((more) => `${'a'.repeat(more)}${'😀'.repeat(1_001)}`),
  );

  it('are cut so that they can be stored and sent, wherever the cut falls', () => {
    fc.assert(
      fc.property(someText, (text) => {
        const contents = [
          listedSession(texts, { ...SESSION, name: text, last_message: text }, 'anna'),
          callbackContent(texts, { ...CALLBACK, name: text, comment: text }, 'UTC'),
        ];
        // A lone surrogate is written as an escape.
        expect(JSON.stringify(contents)).not.toMatch(/\\ud[89a-f]/i);
      }),
      { numRuns: 40 },
    );
  });
});

describe('[TG11] a text with files', () => {
  const file = { name: 'a.png', mime: 'image/png', size: 5, width: 3, height: 2, url: '/f/1' };
  const photo = { id: '7b0c2a6e-3d1f-4c5b-8a9d-0e1f2a3b4c5d', ...file };
  const buttons = [[{ text: 'Взять', data: 'assign:1' }]];
  const bold = [{ type: 'bold', offset: 0, length: 4 }];

  it('is the caption of the files if it fits', () => {
    expect(textAndFiles({ title: 'Иван' }, 'Вот', [photo], buttons)).toEqual([
      { kind: 'files', files: [file], caption: 'Иван\nВот', entities: bold, buttons },
    ]);
  });

  it('is sent before them if it does not fit, and the buttons are under the last message', () => {
    const contents = textAndFiles({ title: 'Иван' }, 'x'.repeat(5_000), [photo], buttons);
    expect(contents.map(({ kind, buttons: under }) => [kind, under])).toEqual([
      ['text', undefined],
      ['text', undefined],
      ['files', buttons],
    ]);
    expect(contents.map((content) => content.entities)).toEqual([bold, undefined, undefined]);
  });

  it('is sent with the buttons before an album, which cannot have buttons', () => {
    expect(textAndFiles({ title: 'Иван' }, 'Вот', [photo, photo], buttons)).toEqual([
      { kind: 'text', text: 'Иван\nВот', entities: bold, buttons },
      { kind: 'files', files: [file, file] },
    ]);
    expect(textAndFiles({ title: 'Иван' }, 'Вот', [photo, photo])).toHaveLength(1);
  });

  it('leaves room in the caption to say that files are missing', () => {
    const longest = textAndFiles(null, 'x'.repeat(CAPTION_MAX - MISSING_FILES_MAX), [photo]);
    expect(longest).toHaveLength(1);
    expect(textAndFiles(null, 'x'.repeat(CAPTION_MAX - MISSING_FILES_MAX + 1), [photo])).toHaveLength(2);
  });

  it('is empty if there is nothing to say', () => {
    expect(textAndFiles(null, '', [], buttons)).toEqual([]);
  });
});

describe('[TG31] the buttons of a callback request', () => {
  it.each([
    ['new', ['assigned']],
    ['assigned', ['calling']],
    ['calling', ['done', 'no_answer']],
    ['no_answer', ['calling']],
    ['done', []],
    ['cancelled', []],
  ] as const)('for %s are %j, the steps of CB5', (status, steps) => {
    const { buttons = [] } = callbackContent(texts, { ...CALLBACK, status }, 'UTC');
    expect(buttons.flat().map(({ data }) => data)).toEqual(steps.map((step) => `callback:4:${step}`));
  });
});

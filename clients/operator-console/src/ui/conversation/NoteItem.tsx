import type { Note } from '@chat-realtime/client/staff';
import { clockTime, t } from '../../i18n/index.ts';
import { Icon } from '../parts/Icon.tsx';
import { memo } from '../parts/memo.tsx';
import { LinkedText } from '../parts/LinkedText.tsx';

export const NoteItem = memo(({ note }: { note: Note }) => (
  <article class="note">
    <header>
      <Icon name="note" />
      {t().noteBy(note.author_name ?? note.author_id)}
      <time dateTime={note.created_at}>{clockTime(note.created_at)}</time>
    </header>
    {note.body === '' ? (
      <p class="erased">{t().erased}</p>
    ) : (
      <p dir="auto">
        <LinkedText text={note.body} />
      </p>
    )}
  </article>
));

import { pageUrl, urlOf } from '@chat-realtime/client/links';
import type { StaffSession } from '@chat-realtime/client/staff';
import { useEffect, useState } from 'preact/hooks';
import { dateTime, t } from '../../i18n/index.ts';
import { settings } from '../../settings.ts';
import { showCard } from '../../state/card.ts';
import { type Answer, worded } from '../../state/custom-fields.ts';
import { useDesk } from '../context.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { CopyButton } from '../parts/CopyButton.tsx';
import { ConsentWords } from '../parts/ConsentWords.tsx';
import { IconButton } from '../parts/IconButton.tsx';
import { ContactForm } from './ContactForm.tsx';
import { CustomerActions } from './CustomerActions.tsx';
import { EarlierChats } from './EarlierChats.tsx';

function Detail({
  label,
  value,
  href = null,
  copy = false,
}: {
  label: string;
  value: string | null;
  href?: string | null;
  copy?: boolean;
}) {
  return (
    <div class="detail">
      <dt>{label}</dt>
      <dd>
        {value === null || value === '' ? (
          <span class="none">{t().notGiven}</span>
        ) : href === null ? (
          <span dir="auto">{value}</span>
        ) : (
          <a href={href} target="_blank" rel="noopener noreferrer nofollow" title={value}>
            {value}
          </a>
        )}
        {copy && value !== null && value !== '' && <CopyButton text={value} />}
      </dd>
    </div>
  );
}

function shown({ value, text }: Answer): string {
  if (typeof value === 'boolean') return value ? t().yes : t().no;
  return text === undefined ? value : worded(text, settings.getState().locale);
}

const PAGE_EVERY_MS = 20_000;

export function CustomerCard({ session }: { session: StaffSession }) {
  const { contact } = session;
  const { desk } = useDesk();
  // A list omits the site's data about its customer: they are loaded with the chat itself.
  const unread = session.attributes === undefined;
  useEffect(() => {
    if (unread) void desk.inbox.refresh(session.id);
  }, [session.id, unread]);
  const [editing, setEditing] = useState(false);
  const currentPage = session.current_page_url ?? null;
  // Navigating to another page is not an event of the chat: an open card polls for it, starting when it opens.
  useEffect(() => {
    if (!unread) void desk.inbox.refresh(session.id);
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void desk.inbox.refresh(session.id);
    }, PAGE_EVERY_MS);
    return () => clearInterval(timer);
  }, [session.id]);
  const blockedAt = session.telegram?.blocked_at ?? null;
  const attributes = Object.entries(session.attributes ?? {});
  const answers = session.answers ?? [];
  const phone = contact.phone?.replace(/[^+\d]/g, '') ?? '';
  return (
    <aside class="card" aria-label={t().card}>
      <header class="card-head">
        <Avatar name={contact.name} seed={session.customer_id ?? session.id} />
        <h2>{contact.name ?? t().visitor(session.id)}</h2>
        {desk.moves.contact.length > 0 && (
          <IconButton icon="edit" label={t().editContact} pressed={editing} onClick={() => setEditing(!editing)} />
        )}
        <IconButton icon="close" label={t().hideCard} onClick={() => showCard(false)} />
      </header>
      {blockedAt !== null && (
        <p class="card-warning" data-warning="bot-blocked">
          {t().botBlockedSince(dateTime(blockedAt))}
        </p>
      )}
      {editing && <ContactForm key={session.id} session={session} onDone={() => setEditing(false)} />}
      {desk.moves.contact.length === 0 && (
        <p class="hint" data-contact="site">
          {t().contactAtSite}
        </p>
      )}
      <dl>
        <Detail label={t().phone} value={contact.phone} href={phone === '' ? null : `tel:${phone}`} copy />
        <Detail
          label={t().email}
          value={contact.email}
          href={contact.email === null ? null : (urlOf(`mailto:${contact.email}`)?.href ?? null)}
          copy
        />
        {currentPage !== null && currentPage !== session.page_url && (
          <Detail label={t().pageNow} value={currentPage} href={pageUrl(currentPage)?.href ?? null} />
        )}
        <Detail
          label={currentPage !== null && currentPage !== session.page_url ? t().pageFirst : t().page}
          value={session.page_url}
          href={session.page_url === null ? null : (pageUrl(session.page_url)?.href ?? null)}
        />
        <Detail label={t().locale} value={session.locale} />
        <Detail label={t().since} value={dateTime(session.created_at)} />
        {session.consent && (
          <div class="detail">
            <dt>{t().consent}</dt>
            <dd>
              <ConsentWords proof={session.consent} locale={session.locale} />
            </dd>
          </div>
        )}
      </dl>
      {answers.length > 0 && (
        <section data-section="answers">
          <h3>{t().answers}</h3>
          <dl>
            {answers.map((answer) => (
              <Detail
                key={answer.name}
                label={worded(answer.label, settings.getState().locale)}
                value={shown(answer)}
              />
            ))}
          </dl>
        </section>
      )}
      {attributes.length > 0 && (
        <section>
          <h3>{t().attributes}</h3>
          <dl>
            {attributes.map(([name, value]) => (
              <Detail key={name} label={name} value={typeof value === 'string' ? value : JSON.stringify(value)} />
            ))}
          </dl>
        </section>
      )}
      <EarlierChats key={session.id} session={session} />
      <CustomerActions key={`actions-${session.id}`} session={session} />
    </aside>
  );
}

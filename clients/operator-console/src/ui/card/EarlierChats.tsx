import type { StaffSession } from '@chat-realtime/client/staff';
import { useEffect, useState } from 'preact/hooks';
import { dateTime, t } from '../../i18n/index.ts';
import { firstCharacters } from '../../state/characters.ts';
import { routeHash } from '../../state/route.ts';
import { sameCustomer, searchKey } from '../../state/same-customer.ts';
import { useDesk } from '../context.ts';

/** Other sessions of the same person: by the site's customer id, else by e-mail or phone. */
export function EarlierChats({ session }: { session: StaffSession }) {
  const { desk } = useDesk();
  const [chats, setChats] = useState<readonly StaffSession[] | null>(null);
  const key = searchKey(session);
  useEffect(() => {
    let shown = true;
    if (key === null) return undefined;
    desk.client.api
      .sessions({ q: key, sort: 'created', limit: 50 })
      .then(({ sessions }) => shown && setChats(sessions.filter((other) => sameCustomer(session, other))))
      .catch(() => shown && setChats(null));
    return () => {
      shown = false;
    };
  }, [key]);
  return (
    <section>
      <h3>{t().earlier}</h3>
      {chats === null || chats.length === 0 ? (
        <p class="none">{t().noEarlier}</p>
      ) : (
        <ul class="earlier">
          {chats.map((chat) => (
            <li key={chat.id}>
              <a
                href={routeHash({
                  page: 'inbox',
                  view: chat.status === 'closed' ? 'closed' : 'all',
                  sessionId: chat.id,
                })}
              >
                <span dir="auto">{firstCharacters(chat.last_message?.body ?? '', 80) || t().visitor(chat.id)}</span>
                <time dateTime={chat.created_at}>
                  {dateTime(chat.created_at)} · {t().status[chat.status] ?? chat.status}
                </time>
              </a>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

import { useEffect } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { card, showCard } from '../state/card.ts';
import { backToText, compose, isComposing } from '../state/composing.ts';
import { router, settings, ui } from '../state/desk.ts';
import { VIEWS } from '../names.ts';
import type { Route } from '../state/route.ts';
import { isTyping, shortcutOf, type ShortcutName } from '../state/shortcuts.ts';
import { watchPushes } from '../state/shown-pushes.ts';
import { useStore } from '../store.ts';
import { AccountPage } from './account/AccountPage.tsx';
import { AlertsPage } from './alerts/AlertsPage.tsx';
import { Banner } from './Banner.tsx';
import { CallbacksPage } from './callbacks/CallbacksPage.tsx';
import { useDesk } from './context.ts';
import { ConversationPane } from './conversation/ConversationPane.tsx';
import { Dialogs } from './dialogs/Dialogs.tsx';
import { InboxPane } from './inbox/InboxPane.tsx';
import { AuditPage } from './manage/AuditPage.tsx';
import { BansPage } from './manage/BansPage.tsx';
import { managePages } from './manage/ManageNav.tsx';
import { RulesPage } from './manage/RulesPage.tsx';
import { TeamPage } from './manage/TeamPage.tsx';
import { NotificationsPage } from './notifications/NotificationsPage.tsx';
import { Notices } from './parts/Notices.tsx';
import { Rail } from './Rail.tsx';
import { RepliesPage } from './replies/RepliesPage.tsx';
import { SetupPage } from './setup/SetupPage.tsx';

const focus = (selector: string): void => document.querySelector<HTMLElement>(selector)?.focus();

export function DeskView() {
  const { desk, actions } = useDesk();
  const route = useStore(router, (state) => state.route);
  const sessionId = route.page === 'inbox' ? route.sessionId : null;

  useEffect(() => {
    const run = (name: ShortcutName): void => {
      const { route: at } = router.getState();
      const id = at.page === 'inbox' ? at.sessionId : null;
      if (name === 'escape') {
        if (document.activeElement instanceof HTMLElement && isTyping(document.activeElement))
          document.activeElement.blur();
        else if (at.page === 'inbox' && id !== null) router.go({ ...at, sessionId: null });
      } else if (name === 'help') ui.set({ dialog: 'shortcuts' });
      else if (name === 'next') actions.step(1);
      else if (name === 'previous') actions.step(-1);
      else if (name === 'search') focus('#search');
      else if (name === 'card') showCard(!card.getState().shown);
      else if (name.startsWith('view')) {
        const view = VIEW_KEYS[Number(name.slice(4)) - 1] ?? 'all';
        router.go({ page: 'inbox', view, sessionId: id });
      } else if (id === null) return;
      else if (name === 'reply' || name === 'note') compose(name);
      else if (name === 'claim') void actions.claim(id).then((done) => done && backToText());
      else if (name === 'transfer') actions.openTransfer(id);
      else if (name === 'close') void actions.close(id);
      else if (name === 'closeNext') void actions.close(id).then((done) => done && actions.next());
    };
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || isComposing(event) || ui.getState().dialog !== null) return;
      const typing = isTyping(event.target);
      const name = shortcutOf(event, { typing, enabled: settings.getState().shortcuts });
      if (name === null) return;
      event.preventDefault();
      run(name);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [actions]);

  useEffect(() => watchPushes(desk, router), [desk]);

  useEffect(() => {
    desk.client.setViewing(sessionId);
    if (sessionId !== null) desk.transfers.markSeen(sessionId);
  }, [desk, sessionId]);

  return (
    <div class={`desk page-${route.page}${sessionId === null ? '' : ' has-chat'}`}>
      <a class="skip" href="#conversation" onClick={(event) => (event.preventDefault(), focus('#conversation'))}>
        {t().skipToChat}
      </a>
      <Rail />
      <div class="stage">
        <Banner />
        <main class="panes" id="main">
          {route.page === 'inbox' && (
            <>
              <h1 class="visually-hidden">{t().chats}</h1>
              <InboxPane view={route.view} sessionId={sessionId} />
              <ConversationPane key={sessionId} sessionId={sessionId} />
            </>
          )}
          {route.page === 'callbacks' && <CallbacksPage />}
          {route.page === 'alerts' && <AlertsPage />}
          {route.page === 'replies' && <RepliesPage />}
          {route.page === 'setup' && <SetupPage />}
          <Managed page={route.page} />
        </main>
      </div>
      <Dialogs sessionId={sessionId} />
      <Notices />
    </div>
  );
}

/**
 * A page that this person may not use does not exist for them, whatever the address says; the server refuses it too.
 */
function Managed({ page }: { page: Route['page'] }) {
  const { desk } = useDesk();
  // The role is known with the list of operators.
  useStore(desk.operators, (state) => state.list);
  if (!managePages(desk.role).some((one) => one === page)) return null;
  if (page === 'team') return <TeamPage />;
  if (page === 'rules') return <RulesPage />;
  if (page === 'bans') return <BansPage />;
  if (page === 'notifications') return <NotificationsPage />;
  return page === 'audit' ? <AuditPage /> : <AccountPage />;
}

/** In the order of the tabs. */
const VIEW_KEYS = [VIEWS[1], VIEWS[0], VIEWS[2], VIEWS[3]] as const;

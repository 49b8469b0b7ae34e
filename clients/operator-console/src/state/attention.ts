import type { AuthUser, StaffClient, StaffEvent } from '@chat-realtime/client/staff';
import { t } from '../i18n/index.ts';
import { firstCharacters } from './characters.ts';
import { drawFavicon } from './favicon.ts';
import type { Inbox } from './inbox.ts';
import type { NoticeAction } from './notice.ts';
import { askToNotify, mayNotify, type NotifyRefusal, refusalText, showNotification } from './notifier.ts';
import type { Route, Router } from './route.ts';
import type { SettingsStore } from '../settings.ts';
import { playChime } from './sound.ts';
import type { Transfer, Transfers } from './transfers.ts';

interface AttentionOptions {
  /** What it uses of the sign-in that it belongs to. */
  readonly desk: {
    readonly user: AuthUser;
    readonly client: StaffClient;
    readonly inbox: Inbox;
    readonly transfers: Pick<Transfers, 'markSeen'>;
  };
  readonly settings: SettingsStore;
  readonly router: Router;
  readonly notify: (text: string, kind?: 'info' | 'error', action?: NoticeAction) => void;
}

/** Title and icon in every tab; sound and notification from one tab of the browser. */
export class Attention {
  readonly #options: AttentionOptions;
  readonly #off: (() => void)[];
  readonly #end = new AbortController();
  #leader = false;

  constructor(options: AttentionOptions) {
    this.#options = options;
    this.#off = [
      options.desk.client.subscribe(() => this.#show()),
      options.settings.subscribe(() => this.#show()),
      options.desk.client.on('event', (event) => this.#announce(event)),
    ];
    this.#show();
    this.#lead();
  }

  destroy(): void {
    this.#end.abort();
    for (const off of this.#off) off();
    document.title = t().chats;
    drawFavicon(0);
  }

  /** Shows both as they would come, for the button that tests them. */
  async test(): Promise<NotifyRefusal | null> {
    void playChime();
    return this.enable();
  }

  /** Asks for the permission and shows one: only so does it turn out whether this browser can. */
  async enable(): Promise<NotifyRefusal | null> {
    const refusal = await askToNotify();
    if (refusal !== null) return refusal;
    const shown = await showNotification({ title: t().chats, body: t().testNotification, tag: 'chat-test' });
    return shown ? null : 'unsupported';
  }

  #lead(): void {
    if (!('locks' in navigator)) {
      this.#leader = true;
      return;
    }
    const { signal } = this.#end;
    const held = (): Promise<void> => {
      this.#leader = true;
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
    };
    navigator.locks.request('chat-console:attention', { signal }, held).catch((error: unknown) => {
      // Signed out before it was this tab's turn.
      if (!signal.aborted) throw error;
    });
  }

  #show(): void {
    const unread = this.#options.desk.client.getState().badge?.unread ?? 0;
    document.title = unread > 0 ? `(${unread}) ${t().chats}` : t().chats;
    drawFavicon(unread);
  }

  #announce(event: StaffEvent): void {
    if (!this.#leader || !this.#concerns(event)) return;
    const id = event.session_id;
    const session = id === null ? undefined : this.#options.desk.inbox.getState().sessions.get(id);
    const title = session?.contact.name ?? (id === null ? t().callbacks : t().visitor(id));
    const body = event.type === 'chat.message.client' ? firstCharacters(event.data.body, 120) : t().newCallback;
    const to: Route = id === null ? { page: 'callbacks' } : { page: 'inbox', view: 'all', sessionId: id };
    this.#notify(title, body, `chat-${id ?? 'callback'}`, to);
  }

  /** A colleague has handed over chats: several at once are one thing to hear of. */
  announceTransfers(came: readonly Transfer[]): void {
    const [only] = came;
    if (only === undefined) return;
    const { desk, router, notify } = this.#options;
    const name = desk.inbox.getState().sessions.get(only.sessionId)?.contact.name ?? t().visitor(only.sessionId);
    const text = came.length === 1 ? t().transferredOne(name) : t().transferredMany(came.length);
    const to: Route = { page: 'inbox', view: 'mine', sessionId: came.length === 1 ? only.sessionId : null };
    const { route } = router.getState();
    if (came.length === 1 && route.page === 'inbox' && route.sessionId === only.sessionId) {
      // It is open already: nothing to lead to, and nothing left to see.
      notify(text);
      if (document.visibilityState === 'visible') desk.transfers.markSeen(only.sessionId);
    } else notify(text, 'info', { label: t().openChat, run: () => router.go(to) });
    if (this.#leader) this.#notify(t().transferredToYou, text, 'chat-transfer', to);
  }

  /** Sound and notification, as far as they are wanted. Nothing here may throw into the caller. */
  #notify(title: string, body: string, tag: string, to: Route): void {
    const { sound, notifications } = this.#options.settings.getState();
    if (sound) void playChime();
    if (!notifications || !mayNotify()) return;
    const onClick = (): void => this.#options.router.go(to);
    void showNotification({ title, body, tag, onClick }).then((shown) => {
      if (shown) return;
      this.#options.settings.set({ notifications: false });
      this.#options.notify(refusalText('unsupported'), 'error');
    });
  }

  /** Silent about what is being looked at, and about other operators' chats. */
  #concerns(event: StaffEvent): boolean {
    const { desk, router } = this.#options;
    if (event.type === 'chat.callback.staff') return event.data.status === 'new';
    if (event.type !== 'chat.message.client') return false;
    const { route } = router.getState();
    const looking = route.page === 'inbox' && route.sessionId === event.session_id;
    if (looking && document.hasFocus() && document.visibilityState === 'visible') return false;
    const owner =
      event.subscribers?.assigned_user_id ?? desk.inbox.getState().sessions.get(event.session_id)?.assigned_user_id;
    return owner === null || owner === undefined || owner === desk.user.id;
  }
}

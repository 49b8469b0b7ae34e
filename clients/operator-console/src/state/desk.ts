import {
  ChatClientError,
  createStaffClient,
  type AuthUser,
  type OperatorsResponse,
  type StaffClient,
} from '@chat-realtime/client/staff';
import { ownStorage } from '../own-storage.ts';
import { Alerts } from './alerts.ts';
import { Attention } from './attention.ts';
import { Callbacks } from './callbacks.ts';
import { chatAddress } from './chat-address.ts';
import { createClock } from './clock.ts';
import { Drafts } from './drafts.ts';
import { Inbox } from './inbox.ts';
import { type Notice, NOTICE_MS, type NoticeAction } from './notice.ts';
import { OwnStatus } from './own-status.ts';
import { Pictures } from './pictures.ts';
import { QuickReplies } from './quick-replies.ts';
import { createRouter } from './route.ts';
import { settings } from '../settings.ts';
import { auth, getToken, signIn, siteHeaders } from './sign-in.ts';
import { movesOf } from './site-moves.ts';
import { createStore } from '../store.ts';
import { Transfers } from './transfers.ts';

export type Operator = OperatorsResponse['operators'][number];

export { auth, settings };
export const router = createRouter(window);
export const drafts = new Drafts(ownStorage);
export const clock = createClock();
export const ui = createStore<{
  readonly notices: readonly Notice[];
  readonly dialog: 'shortcuts' | 'transfer' | 'handover' | 'trace' | 'ban' | null;
  /** Of the dialog `trace`. */
  readonly traced: number | null;
  readonly search: string;
}>({ notices: [], dialog: null, traced: null, search: '' });

let lastNotice = 0;
export function notify(text: string, kind: Notice['kind'] = 'info', action?: NoticeAction): void {
  lastNotice += 1;
  const id = lastNotice;
  ui.set(({ notices }) => ({ notices: [...notices.slice(-2), { id, kind, text, action }] }));
  setTimeout(() => dismiss(id), NOTICE_MS[action === undefined ? kind : 'action']);
}

export function dismiss(id: number): void {
  ui.set(({ notices }) => ({ notices: notices.filter((notice) => notice.id !== id) }));
}

/** Everything of one sign-in; ends with it. */
export class Desk {
  readonly user: AuthUser;
  readonly moves = movesOf(signIn.site, new URL(chatAddress()).pathname !== '/');
  readonly client: StaffClient;
  readonly inbox: Inbox;
  readonly callbacks: Callbacks;
  readonly alerts: Alerts;
  readonly quickReplies: QuickReplies;
  readonly status: OwnStatus;
  readonly attention: Attention;
  readonly transfers: Transfers;
  readonly pictures: Pictures;
  readonly operators = createStore<{ readonly list: readonly Operator[] }>({ list: [] });

  constructor(user: AuthUser) {
    this.user = user;
    drafts.setOwner(user.id);
    this.client = createStaffClient({
      baseUrl: chatAddress(),
      getToken,
      site: signIn.site && { ...signIn.site, headers: siteHeaders },
      namespace: `console-${user.id}`,
    });
    this.pictures = new Pictures(this.client.api, chatAddress());
    this.inbox = new Inbox(this.client, () => user.id);
    this.callbacks = new Callbacks(this.client, signIn.site?.callbacks !== undefined);
    this.alerts = new Alerts(this.client, ownStorage, user.id, this.moves.alerts);
    this.quickReplies = new QuickReplies(this.client.api);
    this.status = new OwnStatus(this.client, user.id);
    this.attention = new Attention({ desk: this, settings, router, notify });
    this.transfers = new Transfers(this.client, ownStorage, user.id, (came) => this.attention.announceTransfers(came));
    void this.inbox.load();
    void this.inbox.begun.then(() => this.callbacks.load());
    void this.alerts.load();
    void this.quickReplies.load();
    void this.status.load();
    void this.loadOperators();
    document.addEventListener('visibilitychange', this.#looked);
  }

  /** As the server maps it: the token of a foreign auth-service may name a role of the site's own. */
  get role(): AuthUser['role'] {
    return this.operators.getState().list.find((operator) => operator.id === this.user.id)?.role ?? this.user.role;
  }

  async loadOperators(): Promise<void> {
    try {
      const { operators } = await this.client.api.operators();
      this.operators.set({ list: operators });
    } catch (error) {
      // Names come with the sessions too; the list is asked for again when somebody transfers.
      if (!(error instanceof ChatClientError)) throw error;
    }
  }

  /** Data without their own event are reloaded when the operator returns to the page. */
  readonly #looked = (): void => {
    if (document.visibilityState !== 'visible') return;
    void this.quickReplies.refresh();
    this.callbacks.refresh();
    void this.loadOperators();
  };

  destroy(): void {
    document.removeEventListener('visibilitychange', this.#looked);
    this.attention.destroy();
    this.transfers.destroy();
    this.callbacks.destroy();
    this.alerts.destroy();
    this.status.destroy();
    this.inbox.destroy();
    this.client.destroy();
  }
}

import { ChatClientError, type Session, type StaffSession } from '@chat-realtime/client/staff';
import { t } from '../i18n/index.ts';
import { steppedTo } from './composing.ts';
import { type Desk, notify, router, settings, ui } from './desk.ts';

function winnerOf(error: ChatClientError): string | null {
  const { details } = error;
  if (typeof details !== 'object' || details === null) return null;
  if ('assigned_user_name' in details && typeof details.assigned_user_name === 'string') {
    return details.assigned_user_name;
  }
  return 'assigned_user_id' in details && typeof details.assigned_user_id === 'string'
    ? details.assigned_user_id
    : null;
}

function explain(error: ChatClientError): string {
  if (error.code === 'already_assigned') return t().taken(winnerOf(error) ?? '—');
  if (error.code === 'forbidden') return t().noRight;
  if (error.code === 'site_owned') return t().siteOwned;
  if (error.code === 'invalid_transition' || error.code === 'stale') return t().stateChanged;
  if (error.code === 'network' || error.code === 'timeout') return t().noAnswer;
  return t().actionFailed;
}

/** An operator's actions on a session. The row changes with the answer; a refusal is shown and the row is reloaded. */
export class Actions {
  readonly #desk: Desk;
  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** A free chat is claimed, which only one of two can win. An admin takes a colleague's chat as a transfer. */
  claim = (id: number): Promise<boolean> => {
    const owner = this.#session(id)?.assigned_user_id ?? null;
    if (!this.may(id)) return this.#refuse(id);
    // A site that takes no assignee assigns it to the caller.
    const to = owner === null || !this.#desk.moves.transfer ? undefined : this.#desk.user.id;
    return this.#run(id, () => this.#desk.client.api.assign(id, to));
  };
  transfer = (id: number, userId: string): Promise<boolean> =>
    this.#run(id, () => this.#desk.client.api.assign(id, userId));
  release = (id: number): Promise<boolean> => this.#run(id, () => this.#desk.client.api.unassign(id));
  /** One letter is enough to close, so one click takes it back. */
  close = async (id: number): Promise<boolean> => {
    if (!this.may(id)) return this.#refuse(id);
    const done = await this.#run(id, () => this.#desk.client.api.close(id));
    const undo = { label: t().undo, run: () => void this.reopen(id) };
    if (done) notify(t().chatClosed, 'info', this.#desk.moves.reopen ? undo : undefined);
    return done;
  };
  reopen = (id: number): Promise<boolean> => this.#run(id, () => this.#desk.client.api.reopen(id));

  /** Whether this operator may claim, transfer and close a chat: an unassigned one, their own, or any for an admin. */
  may(id: number): boolean {
    const owner = this.#session(id)?.assigned_user_id ?? null;
    return owner === null || owner === this.#desk.user.id || this.#desk.role === 'admin';
  }

  #session(id: number): StaffSession | undefined {
    return this.#desk.inbox.getState().sessions.get(id);
  }

  #refuse(id: number): Promise<boolean> {
    notify(t().colleagues(this.#session(id)?.assigned_user_name ?? '—'), 'error');
    return Promise.resolve(false);
  }

  /** The session after or before the open one, in the order of the list. */
  step(by: 1 | -1): void {
    const { route } = router.getState();
    if (route.page !== 'inbox') return;
    const rows = this.#desk.inbox.rows(route.view, settings.getState().sort, route.sessionId);
    const at = rows.findIndex((row) => row.id === route.sessionId);
    const target = at === -1 ? rows[by === 1 ? 0 : rows.length - 1] : rows[at + by];
    if (target === undefined) return;
    steppedTo(target.id);
    router.go({ ...route, sessionId: target.id });
  }

  /** Who waits longest among the others: own chats first, then unassigned ones. */
  next(): void {
    const { route } = router.getState();
    const current = route.page === 'inbox' ? route.sessionId : null;
    for (const view of ['mine', 'unassigned'] as const) {
      const target = this.#desk.inbox
        .rows(view, 'waiting')
        .find((row) => row.id !== current && row.waiting_since !== null);
      if (target !== undefined) {
        router.go({ page: 'inbox', view, sessionId: target.id });
        return;
      }
    }
    const rows =
      route.page === 'inbox' ? this.#desk.inbox.rows(route.view, settings.getState().sort, route.sessionId) : [];
    const target = rows[rows.findIndex((row) => row.id === current) + 1];
    if (route.page === 'inbox' && target !== undefined) router.go({ ...route, sessionId: target.id });
  }

  openTransfer(id: number): void {
    if (!this.#desk.moves.transfer) return;
    if (!this.may(id)) {
      void this.#refuse(id);
      return;
    }
    void this.#desk.loadOperators();
    ui.set({ dialog: 'transfer' });
  }

  async #run(id: number, call: () => Promise<Session>): Promise<boolean> {
    try {
      const session = await call();
      const { status, assigned_user_id, assigned_user_name, version, callback_pending } = session;
      this.#desk.inbox.patch(id, { status, assigned_user_id, assigned_user_name, version, callback_pending });
      await this.#desk.inbox.refresh(id);
      return true;
    } catch (error) {
      if (!(error instanceof ChatClientError)) throw error;
      notify(explain(error), 'error');
      void this.#desk.inbox.refresh(id);
      return false;
    }
  }
}

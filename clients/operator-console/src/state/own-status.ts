import { ChatClientError, type OperatorStatus, type StaffApi, type StaffClient } from '@chat-realtime/client/staff';
import { createStore } from '../store.ts';

export const STATUSES = ['online', 'away', 'off'] as const satisfies readonly OperatorStatus[];

interface Answer {
  readonly status: OperatorStatus;
  readonly since: string | null;
}

/** The operator's chosen status. It applies in every tab and stays after they have left. */
export class OwnStatus {
  readonly #api: StaffApi;
  /** Null until the server said it. */
  readonly #store = createStore<{ readonly status: OperatorStatus | null; readonly since: string | null }>({
    status: null,
    since: null,
  });

  readonly #off: () => void;

  constructor(client: StaffClient, userId: string) {
    this.#api = client.api;
    const shown = () => client.getState().users.find(({ id }) => id === userId)?.state;
    let last = shown();
    // Another tab or device has chosen: all see it in the presence, so this one does.
    this.#off = client.subscribe(() => {
      if (shown() === last) return;
      last = shown();
      void this.load();
    });
  }

  destroy(): void {
    this.#off();
  }

  getState = () => this.#store.getState();
  subscribe = (listener: () => void): (() => void) => this.#store.subscribe(listener);

  async load(): Promise<void> {
    try {
      this.#store.set({ ...(await this.#api.request<Answer>('GET', '/chat/operator/status')) });
    } catch (error) {
      // Shown as unknown; the tab asks again when it is looked at.
      if (!(error instanceof ChatClientError)) throw error;
    }
  }

  async choose(status: OperatorStatus): Promise<void> {
    this.#store.set({ ...(await this.#api.request<Answer>('PUT', '/chat/operator/status', { body: { status } })) });
  }

  /** All own chats that are open to one colleague, or back to the queue. Answers which went. */
  async handOver(toUserId: string | null): Promise<readonly number[]> {
    const body = { to_user_id: toUserId };
    return (await this.#api.request<{ sessions: number[] }>('POST', '/chat/operator/handover', { body })).sessions;
  }
}

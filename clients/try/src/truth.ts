import { rest } from './instruments.ts';
import type { Stored } from './score.ts';

const PAGE = 100;

interface HistoryPage {
  readonly messages: readonly { readonly id: number; readonly created_at: string }[];
}

/** The server's history of one chat by REST: what «stored» and «lost» are measured by. */
export class Truth {
  readonly history: Stored[] = [];
  readonly #sessionId: number;
  readonly #token: () => Promise<string>;
  #reading: Promise<void> | null = null;

  constructor(sessionId: number, token: () => Promise<string>) {
    this.#sessionId = sessionId;
    this.#token = token;
  }

  read(): Promise<void> {
    this.#reading ??= this.#readOn().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readOn(): Promise<void> {
    for (;;) {
      const after = this.history.at(-1)?.id;
      const query = new URLSearchParams({ limit: String(PAGE), after_id: String(after ?? 0) });
      const path = `/chat/session/${this.#sessionId}/messages?${query.toString()}`;
      const { messages } = await rest<HistoryPage>('GET', path, await this.#token());
      for (const { id, created_at } of messages) this.history.push({ id, at: Date.parse(created_at) });
      if (messages.length < PAGE) return;
    }
  }
}

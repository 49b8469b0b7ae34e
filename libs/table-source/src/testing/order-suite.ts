import { type SiteKind, until } from '@chat-realtime/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backfill } from '../backfill.ts';
import { siteConnection } from '../connection.ts';
import { Delivery } from '../delivery.ts';
import { EventMapper } from '../events.ts';
import { type Following, followTables, QUIET } from './following.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { type SampleSite, sampleSite } from './sample-site.ts';

/** A ledger that lets go of everything after some calls, as at the end of its process. */
class EndingLedger extends MemoryLedger {
  #calls = Number.POSITIVE_INFINITY;

  endAfter(calls: number): void {
    this.#calls = calls;
  }

  override async take(events: Parameters<MemoryLedger['take']>[0]) {
    if (this.#calls <= 0) this.away = true;
    this.#calls -= 1;
    return super.take(events);
  }
}

/** Whatever delivers the rows of a chat, and however many at a time, the chat is stored in the order of its table. */
export function orderSuite(kind: SiteKind, freshDatabase: () => Promise<string>): void {
  describe(`the order of a site's rows: ${kind}`, () => {
    let site: SampleSite;
    let ledger: EndingLedger;
    let following: Following | undefined;

    beforeEach(async () => {
      site = await sampleSite(kind, await freshDatabase(), 'reconcile_seconds: 1');
      ledger = new EndingLedger();
    });
    afterEach(async () => {
      await following?.source.stop();
      following = undefined;
      await site.client.close();
    });

    const texts = (from: number, to: number): string[] =>
      Array.from({ length: to - from }, (_, index) => `m${String(from + index).padStart(4, '0')}`);
    /** Rows of these chats in turn. */
    const fill = async (chats: readonly string[], bodies: readonly string[]): Promise<void> => {
      const rows = bodies.map((text, index) => `(${chats[index % chats.length]}, 'guest', '${text}')`);
      await site.client.query(`INSERT INTO chat_message (chat_id, sender, text) VALUES ${rows.join(', ')}`);
    };
    const copy = async (pages?: number) => {
      const connection = await siteConnection(site.config).connect(() => undefined);
      let looks = 0;
      try {
        return await backfill({
          site: connection,
          mapper: new EventMapper(site.config, { sessions: 'UTC', messages: 'UTC' }),
          delivery: new Delivery({ intake: ledger, deadLetters: ledger, log: QUIET }),
          places: ledger,
          ...(pages === undefined ? {} : { stopped: () => ++looks > pages }),
        });
      } finally {
        await connection.close();
      }
    };

    it('[TAB7] is kept where the scan comes to the newest rows before the backfill does', async () => {
      const chats = [await site.openChat(), await site.openChat()];
      await fill(chats, texts(0, 450));
      await site.install();
      expect((await copy(3)).complete).toBe(false);
      expect(ledger.bodies()).toHaveLength(200);
      following = followTables(site, ledger);
      await until(() => ledger.bodies().length >= 400, { timeoutMs: 30_000, what: 'the newest rows' });
      // They are older than the triggers, which missed none of them.
      // They are counted when their chat has been brought.
      const { older } = following;
      await until(() => (older.message ?? 0) >= 200, { timeoutMs: 30_000, what: 'their count' });
      expect(following.missed).toEqual({});
      expect((await copy()).complete).toBe(true);
      await until(() => ledger.bodies().length === 450, { timeoutMs: 30_000, what: 'all rows' });
      for (const [index, chat] of chats.entries())
        expect(ledger.bodies(chat)).toEqual(texts(0, 450).filter((_, number) => number % 2 === index));
    });

    it('[TAB8] is kept among rows that no trigger noted, where they are more than one look of the scan', async () => {
      await site.install();
      following = followTables(site, ledger);
      const chat = await site.openChat();
      await site.write(chat, 'first');
      await until(() => ledger.bodies(chat).length === 1, { what: 'the first' });
      await site.client.query('DROP TABLE chat_realtime_outbox');
      const other = await site.openChat();
      await fill([chat, other], texts(0, 900));
      await site.install();
      await until(() => ledger.bodies().length === 901, { timeoutMs: 30_000, what: 'all of them' });
      const missed = [0, 1].map((part) => texts(0, 900).filter((_, number) => number % 2 === part));
      expect(ledger.bodies(chat)).toEqual(['first', ...(missed[0] ?? [])]);
      expect(ledger.bodies(other)).toEqual(missed[1]);
      expect(ledger.events(other)[0]?.type).toBe('chat.session.created');
      expect(following.missed).toEqual({ session: 1, message: 900 });
    });

    it('[TAB8] what is missed in the first moments is missed, and was not there before', async () => {
      await site.install();
      ledger.slowPlaces.set('begun:messages', 2_000);
      following = followTables(site, ledger);
      const chat = await site.openChat();
      await site.write(chat, 'first');
      await until(() => ledger.bodies(chat).length === 1, { what: 'the first' });
      await site.client.query('DROP TABLE chat_realtime_outbox');
      await site.write(chat, 'missed');
      await site.install();
      const { missed, older } = following;
      await until(() => ledger.bodies(chat).length === 2, { timeoutMs: 30_000, what: 'the one that was missed' });
      await until(() => missed.message !== undefined || older.message !== undefined, { what: 'its count' });
      expect([missed, older]).toEqual([{ message: 1 }, {}]);
    });

    it('[TAB7] is kept where the copy of a chat was cut off by the end of its process', async () => {
      await site.install();
      expect((await copy()).complete).toBe(true);
      // Of a time when the site had no triggers.
      await site.remove();
      const chat = await site.openChat();
      await fill([chat], texts(0, 250));
      await site.install();
      await site.write(chat, 'live');
      ledger.endAfter(1);
      following = followTables(site, ledger);
      await until(() => ledger.away, { what: 'the end of the process' });
      await following.source.stop();
      expect(ledger.bodies(chat).length).toBeLessThan(250);
      ledger.endAfter(Number.POSITIVE_INFINITY);
      ledger.away = false;
      following = followTables(site, ledger);
      await until(() => ledger.bodies(chat).length === 251, { timeoutMs: 30_000, what: 'all of the chat' });
      expect(ledger.bodies(chat)).toEqual([...texts(0, 250), 'live']);
    });
  });
}

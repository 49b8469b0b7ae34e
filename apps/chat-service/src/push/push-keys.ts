import type { Database } from '@chat-realtime/database';
import webPush from 'web-push';
import { translated } from '../storage/errors.ts';

export interface PushKeys {
  readonly publicKey: string;
  readonly privateKey: string;
}

/** VAPID: made at the first start and kept, since every device is bound to them. */
export class PushKeyStore {
  readonly #database: Database;
  #known: Promise<PushKeys> | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  keys(): Promise<PushKeys> {
    this.#known ??= this.#load().catch((error: unknown) => {
      this.#known = undefined;
      throw error;
    });
    return this.#known;
  }

  /** Of several processes that start at once, one makes them. */
  async #load(): Promise<PushKeys> {
    const db = this.#database.kysely;
    const read = () => db.selectFrom('push_key').select(['public_key', 'private_key']).executeTakeFirst();
    return translated(async () => {
      let row = await read();
      if (row === undefined) {
        const { publicKey, privateKey } = webPush.generateVAPIDKeys();
        await db
          .insertInto('push_key')
          .values({ public_key: publicKey, private_key: privateKey })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
        row = await read();
      }
      if (row === undefined) throw new Error('the keys of push were not kept');
      return { publicKey: row.public_key, privateKey: row.private_key };
    });
  }
}

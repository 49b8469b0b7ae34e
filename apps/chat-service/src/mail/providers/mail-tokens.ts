import { createHash } from 'node:crypto';
import type { Database } from '@chat-realtime/database';
import { translated } from '../../storage/errors.ts';

/** One-time tokens of providers whose signature leaves the mail out. */
export interface MailTokens {
  /** Whether the token is new, or came with this very mail before. `mailKey`: as `ReceivedMail.key`. */
  fits(token: string, mailKey: string): Promise<boolean>;
}

export function storedMailTokens(database: Database): MailTokens {
  return {
    async fits(token, mailKey) {
      const hash = createHash('sha256').update(token).digest('base64url');
      return translated(async () => {
        await database.kysely
          .insertInto('mail_token')
          .values({ hash, mail_key: mailKey })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
        const { mail_key: first } = await database.kysely
          .selectFrom('mail_token')
          .select('mail_key')
          .where('hash', '=', hash)
          .executeTakeFirstOrThrow();
        return first === mailKey;
      });
    },
  };
}

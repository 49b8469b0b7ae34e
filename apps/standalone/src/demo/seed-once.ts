import type { Operator } from '@chat-realtime/auth-service';
import { OperatorDirectory, type StaffActor, type StorageContext } from '@chat-realtime/chat-service';
import type { Database } from '@chat-realtime/database';
import { sql } from 'kysely';
import { markDemoChat } from './demo-chats.ts';
import { seedDemoChats } from './seed.ts';

const SEEDED = 'demo_seeded_at';

/** Seeds the demo chats once in the life of a database: chats that were removed stay removed. */
export async function seedOnFirstStart(
  database: Database,
  chats: StorageContext,
  operators: readonly Operator[],
  baseUrl: string,
  requestCallback: (sessionId: number, phone: string, comment: string) => Promise<void>,
): Promise<number> {
  if (operators.length === 0) return 0;
  const claimed = await sql`
    INSERT INTO chat_meta (name, value) SELECT ${SEEDED}, now()::text
    WHERE NOT EXISTS (SELECT FROM chat_session) ON CONFLICT (name) DO NOTHING RETURNING name`.execute(database.kysely);
  if (claimed.rows.length === 0) return 0;
  const actors = operators.map((operator): [string, StaffActor] => [
    operator.login,
    { kind: 'staff', userId: operator.id, name: operator.name, role: operator.role, scope: operator.scope },
  ]);
  const markDemo = (sessionId: number): Promise<void> => markDemoChat(database, sessionId);
  const directory = new OperatorDirectory(chats);
  for (const [, actor] of actors) await directory.seen(actor);
  return seedDemoChats({ chats, operators: new Map(actors), requestCallback, markDemo, baseUrl });
}

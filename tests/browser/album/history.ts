import type { PostgresServer } from '@chat-realtime/testkit';

/** Minutes since the last word in each of the seeded chats, by the customer's name; `null` is who gave none. */
const MINUTES_AGO: readonly (readonly [name: string | null, minutes: number])[] = [
  ['Мария Соколова', 6],
  [null, 2],
  ['Игорь Петров', 17],
  ['Ольга', 31],
  ['John Miller', 3],
  ['Сергей', 36],
  ['Анастасия Белова', 22],
  ['Тимур', 12],
  ['Екатерина', 9],
  ['Пётр Ильич', 4],
  ['Лейла', 48],
];
const SECONDS_BETWEEN = 40;

/**
 * Moves what was seeded a moment ago back over the last hour: an inbox in which everybody wrote this second shows neither
 * waiting times nor an order. Nothing else is changed, and nobody is connected yet.
 */
export async function spreadOverTheHour(database: PostgresServer): Promise<void> {
  for (const [name, minutes] of MINUTES_AGO) {
    const [session] = await database.query('select id, last_seq from chat_session where name is not distinct from $1', [
      name,
    ]);
    if (session === undefined) throw new Error(`no seeded chat of ${name ?? 'an unnamed visitor'}`);
    const { id } = session;
    const last = `now() - interval '${minutes} minutes'`;
    await database.query(
      `update chat_event set created_at = ${last} - make_interval(secs => ${SECONDS_BETWEEN} * ($2::int - seq))
       where session_id = $1 and seq is not null`,
      [id, session['last_seq']],
    );
    await database.query(
      `update chat_session set updated_at = ${last},
         created_at = (select min(created_at) from chat_event where session_id = $1),
         closed_at = case when closed_at is not null then ${last} end,
         waiting_since = case when waiting_since is not null then ${last} end
       where id = $1`,
      [id],
    );
    await database.query(
      `update chat_alert set created_at = (select created_at from chat_session where id = $1) where session_id = $1`,
      [id],
    );
  }
}

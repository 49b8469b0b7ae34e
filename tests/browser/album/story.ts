import type { HttpClient, PostgresServer, Staff } from '@chat-realtime/testkit';
import { WORDS } from './words.ts';

/** When each call of the album is due, in minutes from now, and how far it has come. */
const CALLS: readonly { readonly dueInMinutes: number; readonly steps: readonly string[] }[] = [
  { dueInMinutes: -25, steps: ['assigned'] },
  { dueInMinutes: 95, steps: [] },
  { dueInMinutes: 26 * 60, steps: [] },
  { dueInMinutes: -70, steps: ['assigned', 'calling', 'done'] },
];

interface Desk {
  readonly http: HttpClient;
  readonly people: { readonly anna: Staff };
  readonly database: PostgresServer;
}

export async function askForCalls({ http, people, database }: Desk): Promise<void> {
  for (const [index, { dueInMinutes, steps }] of CALLS.entries()) {
    const answer = await http.post('/chat/callback', { json: { ...WORDS.calls[index], consent: true } });
    const { callback } = answer.json() as { callback: { id: number } };
    // Nobody may ask to be called in the past.
    await database.query('update chat_callback set due_at = now() + make_interval(mins => $2) where id = $1', [
      callback.id,
      dueInMinutes,
    ]);
    for (const status of steps) {
      const own = status === 'assigned' ? { assigned_user_id: people.anna.userId } : {};
      const done = await people.anna.request('PATCH', `/chat/callbacks/${callback.id}`, { json: { status, ...own } });
      if (done.status !== 200) throw new Error(`the callback did not become ${status}: ${done.text}`);
    }
  }
}

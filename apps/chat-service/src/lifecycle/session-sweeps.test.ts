import { sql } from 'kysely';
import { afterAll, expect, it } from 'vitest';
import { anna, newChat, Stage } from '../../test/harness.ts';

const FROM_START = { epoch: null, id: 0 };
const stage = new Stage();
afterAll(() => stage.stop());

it('[REV] revocations are deleted once no token can be affected; the newest is kept, so that the head never goes back', async () => {
  const { chat, database, service } = await stage.harness();
  const chats = [await newChat(chat), await newChat(chat), await newChat(chat)];
  for (const { id } of chats) await chat.revoke(anna, id);
  const place = await chat.revocations(FROM_START);
  const head = place.id;
  await sql`UPDATE revocation SET created_at = created_at - interval '26 hours' WHERE id <> ${head - 1}`.execute(
    database.kysely,
  );
  service.start();
  await expect
    .poll(async () => (await chat.revocations(FROM_START)).revocations.map(({ id }) => id), { timeout: 15_000 })
    .toEqual([head - 1, head]);
  expect((await chat.revocations(place)).id).toBe(head);
});

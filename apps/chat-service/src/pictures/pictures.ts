import { randomBytes } from 'node:crypto';
import { type Database, recordAudit } from '@chat-realtime/database';
import { ChatError, PICTURE_MAX_BYTES, PICTURE_MAX_SIDE, PICTURE_MIN_SIDE } from '@chat-realtime/protocol';
import { imageSize } from '../attachments/image-size.ts';
import { sniff } from '../attachments/sniff.ts';
import type { StaffActor } from '../actors.ts';
import { fieldError } from '../field-error.ts';
import { translated } from '../storage/errors.ts';
import { requireOperator } from '../operators/known-operator.ts';
import { cleanPicture } from './clean-picture.ts';

const ALLOWED = ['image/png', 'image/jpeg'];
const KEY = /^[A-Za-z0-9_-]{22}$/;

export const picturePath = (key: string): string => `/chat/pictures/${key}`;

/**
 * The stored form of an upload. @throws ChatError 415 for another type, 422 for an invalid picture or one of another
 * size.
 */
export async function checkedPicture(bytes: Buffer): Promise<{ readonly mime: string; readonly bytes: Buffer }> {
  const { mime } = await sniff(bytes, true);
  if (!ALLOWED.includes(mime))
    throw new ChatError('unsupported_media_type', 'a picture is a PNG or a JPEG', { details: { allowed: ALLOWED } });
  if (bytes.length > PICTURE_MAX_BYTES) throw fieldError('image', `must have at most ${PICTURE_MAX_BYTES} bytes`);
  const clean = cleanPicture(mime, bytes);
  const size = clean === undefined ? undefined : imageSize(mime, clean);
  if (clean === undefined || size === undefined) throw fieldError('image', 'must be a whole picture');
  const sides = [size.width, size.height];
  if (sides.some((side) => side < PICTURE_MIN_SIDE || side > PICTURE_MAX_SIDE))
    throw fieldError('image', `must be ${PICTURE_MIN_SIDE} to ${PICTURE_MAX_SIDE} pixels wide and high`);
  return { mime, bytes: clean };
}

/** Pictures of operators. Everybody may see them: they are what a visitor is shown. */
export class Pictures {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** @throws ChatError 403 for another's picture unless an admin changes it, 422 for an operator whom nobody knows. */
  async put(actor: StaffActor, userId: string, base64: string): Promise<string> {
    requireRight(actor, userId);
    const { mime, bytes } = await checkedPicture(Buffer.from(base64, 'base64'));
    const key = randomBytes(16).toString('base64url');
    await translated(() =>
      this.#database.kysely.transaction().execute(async (trx) => {
        if (userId !== actor.userId) await requireOperator(trx, userId, 'id');
        await trx
          .insertInto('operator_picture')
          .values({ user_id: userId, key, mime, bytes })
          .onConflict((conflict) =>
            conflict.column('user_id').doUpdateSet({ key, mime, bytes, changed_at: new Date() }),
          )
          .execute();
        await recordAudit(trx, { actor, action: 'picture.changed', subject: `operator:${userId}` });
      }),
    );
    return picturePath(key);
  }

  /** It was removed, or never existed. */
  async remove(actor: StaffActor, userId: string): Promise<void> {
    requireRight(actor, userId);
    await translated(() =>
      this.#database.kysely.transaction().execute(async (trx) => {
        const gone = await trx.deleteFrom('operator_picture').where('user_id', '=', userId).executeTakeFirst();
        if (gone.numDeletedRows === 0n) return;
        await recordAudit(trx, { actor, action: 'picture.removed', subject: `operator:${userId}` });
      }),
    );
  }

  async of(userIds: readonly string[]): Promise<Record<string, string>> {
    const rows = await translated(() =>
      this.#database.kysely
        .selectFrom('operator_picture')
        .select(['user_id', 'key'])
        .where('user_id', 'in', [...userIds])
        .execute(),
    );
    return Object.fromEntries(rows.map((row) => [row.user_id, picturePath(row.key)]));
  }

  async open(key: string): Promise<{ readonly mime: string; readonly bytes: Buffer }> {
    const row = KEY.test(key)
      ? await translated(() =>
          this.#database.kysely
            .selectFrom('operator_picture')
            .select(['mime', 'bytes'])
            .where('key', '=', key)
            .executeTakeFirst(),
        )
      : undefined;
    if (row === undefined) throw new ChatError('not_found', 'no such picture');
    return row;
  }
}

function requireRight(actor: StaffActor, userId: string): void {
  if (userId !== actor.userId && actor.role !== 'admin')
    throw new ChatError('forbidden', "only an admin may change another operator's picture");
}

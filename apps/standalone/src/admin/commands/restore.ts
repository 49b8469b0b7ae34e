import { resolve } from 'node:path';
import { BackupError, connectPlainly, type PlainConnection, restoreBackup } from '@chat-realtime/database';
import { purgeEventQueue } from '@chat-realtime/messaging/rabbitmq';
import { type AdminCommand, AdminRefusal, AdminUsageError } from '../command.ts';
import { attachmentsFolder, attachmentsOf, copyFiles, filesIn } from '../files-of-backup.ts';

const USAGE = 'restore <folder> --yes';
const SHOWN = 20;

/** Messages still in the broker belong to the lost history; their numbers are given a second time. */
async function emptyQueue(url: string | undefined): Promise<number | null> {
  return url ? purgeEventQueue(url) : null;
}

async function bringBack(connection: PlainConnection, folder: string, progress: (line: string) => void) {
  try {
    return await restoreBackup(connection, folder, progress);
  } catch (error) {
    if (error instanceof BackupError) throw new AdminRefusal(error.message);
    throw error;
  }
}

export const restore: AdminCommand = {
  async run({ args, env, databaseUrl, progress }) {
    const [folder, ...more] = args.filter((arg) => arg !== '--yes');
    if (folder === undefined || more.length > 0) throw new AdminUsageError(USAGE);
    const from = resolve(folder);
    if (!args.includes('--yes'))
      throw new AdminRefusal(
        `this replaces everything in the database by what ${from} has; what was written since is gone. Say --yes if it is meant`,
      );
    progress(`replacing the database by ${from}; the chat answers 503 until it is done …`);
    const connection = await connectPlainly(await databaseUrl({ create: true }));
    try {
      const back = await bringBack(connection, from, progress);
      const queued = await emptyQueue(env['RABBITMQ_URL']);
      const ids = await filesIn(from);
      progress(`copying ${ids.length} attachments …`);
      const files = await copyFiles(attachmentsOf(from), attachmentsFolder(env), ids, progress);
      const rows = Object.values(back.rows).reduce((sum, count) => sum + count, 0);
      const { erasedSince } = back;
      const lines = [
        `${rows} rows and ${files.copied + files.kept} attachments of ${back.made_at} are back.`,
        'The database has another epoch: every client takes a snapshot within a head check (about 10 s).',
        `Revocations, ended sign-ins and the accounts of operators stayed as they were (${back.revocations} revocations carried over).`,
      ];
      if (queued === null)
        lines.push('RABBITMQ_URL is not set: with a RabbitMQ, empty the queues chat-channel-dispatcher* now.');
      if (erasedSince.length > 0)
        lines.push(
          `Erased after the backup, and back with it: chats ${erasedSince.slice(0, SHOWN).join(', ')}${erasedSince.length > SHOWN ? ' …' : ''}. Erase them again.`,
        );
      return {
        result: {
          made_at: back.made_at,
          previous_epoch: back.previous_epoch,
          epoch: back.epoch,
          rows: back.rows,
          attachments: files,
          revocations_carried_over: back.revocations,
          erase_again: erasedSince,
          queue_emptied: queued,
        },
        text: lines.join('\n'),
      };
    } finally {
      await connection.close();
    }
  },
};

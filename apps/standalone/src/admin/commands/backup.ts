import { resolve } from 'node:path';
import { BackupError, connectPlainly, writeBackup } from '@chat-realtime/database';
import { type AdminCommand, AdminRefusal, AdminUsageError } from '../command.ts';
import { attachmentsFolder, attachmentsOf, copyFiles } from '../files-of-backup.ts';

export const backup: AdminCommand = {
  async run({ args, env, databaseUrl, progress }) {
    const [folder, ...more] = args;
    if (folder === undefined || more.length > 0) throw new AdminUsageError('backup <folder>');
    const to = resolve(folder);
    progress(`writing the database as it is now to ${to}; the chat goes on meanwhile …`);
    const connection = await connectPlainly(await databaseUrl());
    try {
      const written = await writeBackup(connection, to, progress);
      progress(`copying ${written.files.length} attachments …`);
      // After the database: a file is there before the row that names it, so none can be missing for coming later.
      const files = await copyFiles(attachmentsFolder(env), attachmentsOf(to), written.files, progress);
      const rows = Object.values(written.rows).reduce((sum, count) => sum + count, 0);
      const lines = [
        `${rows} rows in ${written.path}`,
        `${files.copied + files.kept} attachments (${files.kept} were there from before)`,
        'Secrets are not in it: keep deploy/.env, or secrets of the data folder, in another place.',
      ];
      if (files.missing > 0)
        lines.push(`${files.missing} attachments are not in ${attachmentsFolder(env)}: is DATA_DIR right?`);
      return {
        result: {
          folder: to,
          created_at: written.created_at,
          epoch: written.epoch,
          rows: written.rows,
          attachments: files,
        },
        text: lines.join('\n'),
        ...(files.missing > 0 ? { failed: true } : {}),
      };
    } catch (error) {
      if (error instanceof BackupError) throw new AdminRefusal(error.message);
      throw error;
    } finally {
      await connection.close();
    }
  },
};

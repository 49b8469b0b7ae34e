import { resolve } from 'node:path';
import { upgradeEmbeddedPostgres } from '@chat-realtime/embedded-postgres';
import { databaseFolder } from '../../reset.ts';
import { type AdminCommand, AdminRefusal, AdminUsageError } from '../command.ts';

export const upgradeData: AdminCommand = {
  async run({ args, env, progress }) {
    const [programs, ...more] = args;
    if (more.length > 0) throw new AdminUsageError('upgrade-data [<folder of the old PostgreSQL>]');
    if (env['DATABASE_URL'])
      throw new AdminRefusal('DATABASE_URL is set: that server is upgraded by whoever runs it, not from here');
    const folder = databaseFolder(resolve(env['DATA_DIR'] || './data'));
    progress(`bringing the data in ${folder} to this version’s PostgreSQL, all or nothing; those of before are kept …`);
    const done = await upgradeEmbeddedPostgres(folder, programs && resolve(programs), progress);
    return {
      result: done,
      text:
        done.kind === 'nothing'
          ? `The data are of PostgreSQL ${done.major} already; there is nothing to do.`
          : `${done.rows} rows brought from PostgreSQL ${done.from} to ${done.to}. The data of before are kept in ${done.kept}; delete them when the chat has run.`,
    };
  },
};

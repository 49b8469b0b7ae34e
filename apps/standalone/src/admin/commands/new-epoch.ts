import { beginNewEpoch, readEpoch } from '@chat-realtime/database';
import { type AdminCommand, AdminUsageError } from '../command.ts';

export const newEpoch: AdminCommand = {
  async run({ args, openDatabase, progress }) {
    if (args.length > 0) throw new AdminUsageError('new-epoch takes nothing but --json');
    progress(
      'giving the database another epoch: every client drops its cursors and takes a snapshot, nothing is deleted …',
    );
    const database = await openDatabase();
    const previous = await readEpoch(database);
    progress(`  the epoch of before is ${previous}`);
    const epoch = await beginNewEpoch(database);
    return {
      result: { previous_epoch: previous, epoch },
      text: `The database has a new epoch: ${epoch}. Gateways notice within a head check (about 10 s) and send their\nclients back over some seconds; each then takes a snapshot. Nothing has to be restarted.`,
    };
  },
};

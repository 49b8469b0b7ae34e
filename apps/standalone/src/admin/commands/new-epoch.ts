import { beginNewEpoch, readEpoch } from '@chat-realtime/database';
import type { AdminCommand } from '../command.ts';

export const newEpoch: AdminCommand = {
  async run({ openDatabase }) {
    const database = await openDatabase();
    const previous = await readEpoch(database);
    const epoch = await beginNewEpoch(database);
    return {
      result: { previous_epoch: previous, epoch },
      text: `The database has a new epoch: ${epoch}. Gateways notice within a head check (about 10 s) and send their\nclients back over some seconds; each then takes a snapshot. Nothing has to be restarted.`,
    };
  },
};

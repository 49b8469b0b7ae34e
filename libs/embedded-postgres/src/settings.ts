/** PostgreSQL's own number: it names the socket too. No other server listens in the data folder. */
export const PORT = 5432;

/**
 * Given on the command line, so that they hold whatever a file in the data folder says. Small: the server shares a cheap
 * machine with the chat, which is its only client.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  // Confirmed data are on the disk.
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  max_connections: '40',
  shared_buffers: '24MB',
  huge_pages: 'off',
  maintenance_work_mem: '32MB',
  max_wal_size: '256MB',
  min_wal_size: '16MB',
  // Each would be a separate process.
  io_method: 'sync',
  max_worker_processes: '0',
  max_parallel_workers: '0',
  max_logical_replication_workers: '0',
  autovacuum_worker_slots: '1',
  autovacuum_max_workers: '1',
  max_wal_senders: '2',
  jit: 'off',
  // Errors of statements go to their sender, and may quote values: no log gets them.
  log_min_messages: 'fatal',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_line_prefix: '',
  logging_collector: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/** Small pieces of the log: each is taken from the disk as a whole. */
export const INITDB = [
  '--username=chat',
  '--auth=scram-sha-256',
  '--encoding=UTF8',
  '--locale=C',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--wal-segsize=4',
  '--no-instructions',
] as const;

/** Settings that every version knows: for a server that is only read. */
const READ_ONCE = { max_connections: '10', log_min_messages: 'fatal', log_line_prefix: '', timezone: 'UTC' } as const;

export function settingsForReading(address: Readonly<Record<string, string>>): string[] {
  return asArguments({ ...READ_ONCE, ...address });
}

export function serverSettings(address: Readonly<Record<string, string>>): string[] {
  return asArguments({ ...SETTINGS, ...address });
}

function asArguments(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

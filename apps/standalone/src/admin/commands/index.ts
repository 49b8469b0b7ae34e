import type { AdminEntry } from '../command.ts';

/**
 * The list of commands, in the order in which it is shown. A new one is a file here and an entry there. Each is loaded
 * when it is called: making secrets need not wait for what reads a database.
 */
export const COMMANDS: readonly AdminEntry[] = [
  {
    name: 'secrets',
    usage: '[--folder deploy] [--rotate NAME]',
    summary:
      'makes every secret that deploy/.env does not have yet, and the users file of Redis; --rotate makes one anew. Values are never printed',
    load: async () => (await import('./secrets.ts')).secrets,
  },
  {
    name: 'operators',
    usage:
      'list | add <login> <name> [operator|admin] [all|assigned|own] | password|activate|deactivate|second-factor-off <login> | role <login> operator|admin | scope <login> all|assigned|own',
    summary: 'accounts of operators; a new password is read from standard input, every change ends their sign-ins',
    load: async () => (await import('./operators.ts')).operators,
  },
  {
    name: 'outbox',
    usage: 'status | replay <seconds>',
    summary: 'what waits for RabbitMQ; and to publish again what was published in the last seconds',
    load: async () => (await import('./outbox.ts')).outbox,
  },
  {
    name: 'dead-letters',
    usage: 'list | show <id> | replay <id>…|--all | drop <id>…|--all [--ledger]',
    summary:
      'messages that the dispatcher (with --ledger: the ledger) could not understand: what they are, and to publish them again or throw them away',
    load: async () => (await import('./dead-letters.ts')).deadLetters,
  },
  {
    name: 'mail-refusals',
    usage: 'list | lift <address>',
    summary: 'addresses that get no mail any more, since it bounced or they unsubscribed; and to let one get it again',
    load: async () => (await import('./mail-refusals.ts')).mailRefusals,
  },
  {
    name: 'drain',
    usage: '<address of a gateway>',
    summary: 'sends every client of one gateway to the others and lets nobody new in; then it may be stopped',
    load: async () => (await import('./drain.ts')).drain,
  },
  {
    name: 'migrate',
    usage: '[--dry-run]',
    summary:
      'brings the schema up to date before the services of a new version start, while those of the version before serve; --dry-run says what it would do',
    load: async () => (await import('./migrate.ts')).migrate,
  },
  {
    name: 'backup',
    usage: '<folder>',
    summary: 'writes the database as it is at one moment, and the attachments, into a folder, while the chat serves',
    load: async () => (await import('./backup.ts')).backup,
  },
  {
    name: 'restore',
    usage: '<folder> --yes',
    summary:
      'replaces the database by a backup, in one transaction; every client takes a snapshot, revocations and closed accounts stay',
    load: async () => (await import('./restore.ts')).restore,
  },
  {
    name: 'upgrade-data',
    usage: '[<folder of the old PostgreSQL>]',
    summary:
      'brings the embedded database of an older major version of PostgreSQL to this one, all or nothing, while the chat does not run',
    load: async () => (await import('./upgrade-data.ts')).upgradeData,
  },
  {
    name: 'trace',
    usage: '<session> <seq> [--logs <file>|-]',
    summary:
      'the way of one event: stored, relayed, dispatched, published, written to which sockets, acknowledged and read, with times; TRACE_PEERS names the processes to ask, --logs reads lines of the level debug',
    load: async () => (await import('./trace.ts')).trace,
  },
  {
    name: 'probe',
    usage: '[--once]',
    summary:
      'posts and reads as a customer and as an operator on every transport of PROBE_URL, every few seconds, and exports time and loss; --once says it and ends',
    load: async () => (await import('./probe.ts')).probe,
  },
  {
    name: 'verify',
    usage: '',
    summary: 'reads the whole database while it serves and says whether what must be true of it is; changes nothing',
    load: async () => (await import('./verify.ts')).verify,
  },
  {
    name: 'table-source',
    usage: 'print-sql [--remove] | backfill',
    summary:
      'beside an existing chat: the triggers for the tables that TABLE_SOURCE names; and a copy of what was there before, which goes on where it was ended',
    load: async () => (await import('./table-source.ts')).tableSource,
  },
  {
    name: 'rabbit-source',
    usage: 'status | remove [--drop]',
    summary:
      'beside an existing chat: what is ours in the site’s broker; and to take it out when RABBITMQ_SOURCE is given up, --drop with what is unread',
    load: async () => (await import('./rabbit-source.ts')).rabbitSource,
  },
  {
    name: 'shadow-report',
    usage: '<address of /metrics of each gateway> …',
    summary: 'beside an existing chat: whether polling and the channel have shown the same in the shadow step',
    load: async () => (await import('./shadow-report.ts')).shadowReport,
  },
  {
    name: 'new-epoch',
    usage: '',
    summary:
      'after a restore that copied files or a volume back: tells every client to drop its cursors and read anew. A pg_restore is seen without it',
    load: async () => (await import('./new-epoch.ts')).newEpoch,
  },
];

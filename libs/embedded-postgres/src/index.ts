/**
 * The PostgreSQL inside the single process. `startEmbeddedPostgres` takes a data folder, starts the server as a child
 * process that only this machine reaches, and stops it with the service. No message passes through here; services
 * connect to it by URL.
 *
 * It also takes over data folders of earlier versions: `carry-over.ts` from PGlite, `upgrade.ts` from an older
 * PostgreSQL. `testing/` starts and ends servers for the tests.
 *
 * Start with `embedded-postgres.ts`, then `cluster.ts`.
 */
export { CARRIED_OVER } from './carry-over.ts';
export { type EmbeddedOptions, type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';
export { preparePrograms } from './programs.ts';
export { accessEmbeddedPostgres, type PostgresAccess } from './admin-access.ts';
export { removeEmbeddedPostgres } from './remove.ts';
export { type DataUpgrade, upgradeEmbeddedPostgres } from './upgrade.ts';

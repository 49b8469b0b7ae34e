export { CARRIED_OVER } from './carry-over.ts';
export { type EmbeddedOptions, type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';
export { preparePrograms } from './programs.ts';
export { reachEmbeddedPostgres, type ReachedPostgres } from './reach.ts';
export { removeEmbeddedPostgres } from './remove.ts';
export { type DataUpgrade, upgradeEmbeddedPostgres } from './upgrade.ts';

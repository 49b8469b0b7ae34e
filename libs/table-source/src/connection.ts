import type { TableSourceConfig } from './config.ts';
import { mysqlConnection } from './mysql/site-database.ts';
import type { SiteConnection } from './ports.ts';
import { postgresConnection } from './postgres/site-database.ts';

export function siteConnection(config: TableSourceConfig): SiteConnection {
  return config.database === 'postgresql' ? postgresConnection(config) : mysqlConnection(config);
}

/**
 * For tests only: starts, kills, pauses and wipes the real servers, each on a free port with a folder of its own, and ends
 * them with the test process (`guard.ts`). Nothing here is a mock where the real server can run.
 *
 * - `clients/`: customers and operators over every transport; observers that record each frame they were shown
 * - `drivers/`: make a service exit, or its driver misbehave, at a chosen step; the rest is production code
 * - `mail/`: an SMTP receiver and a real IMAP server
 * - `stack/`: all services as processes, behind nginx or Caddy, with a fault proxy before each server
 * - `telegram/`: a Bot API with limits and faults
 *
 * Start with `stack/stack.ts` for a whole system, or `postgres.ts` for a single server.
 */
export { type AppProcess, type LogRecord, type ProcessOptions, SERVICE_FLAGS, startProcess } from './app-process.ts';
export * from './clients/index.ts';
export { solved } from './challenge.ts';
export { binaries, findBinary } from './binaries.ts';
export { Child, type ChildSpec, type ExitStatus } from './child.ts';
export { hostileTexts, slowest } from './hostile-texts.ts';
export { endingAt, type ServiceStep, UNTOUCHED } from './drivers/index.ts';
export { type MariaDbOptions, type MariaDbServer, startMariaDb } from './mariadb.ts';
export { FakeIdentityProvider, type ProviderPerson } from './identity-provider.ts';
export type { ManagedServer } from './managed-server.ts';
export { type NginxOptions, type NginxServer, startNginx } from './nginx.ts';
export { type ImapServer, startDovecot } from './mail/dovecot.ts';
export { type ReceivedMail, startSmtp, type SmtpDouble } from './mail/smtp.ts';
export { PushService, type PushedMessage } from './push-service.ts';
export { fixedWork } from './fixed-work.ts';
export { freePort } from './ports.ts';
export { type PgBouncerOptions, startPgBouncer } from './pgbouncer.ts';
export { type PostgresOptions, type PostgresServer, startPostgres } from './postgres.ts';
export { createDatabase, dropDatabase } from './shared-postgres.ts';
export { isAlive, processTree } from './process-tree.ts';
export type { Drop, DropRule } from './publish-filter.ts';
export { type RabbitOptions, startRabbit } from './rabbit.ts';
export { redisCommand, type RedisOptions, startRedis } from './redis.ts';
export { type RedisCluster, type RedisClusterOptions, startRedisCluster } from './redis-cluster.ts';
export { type PrivateRedis, startPrivateRedis } from './stack/private-redis.ts';
export { type Stack, type StackOptions, startStack } from './stack/stack.ts';
export type { ServiceName } from './stack/service-environment.ts';
export type { StackProxies } from './stack/stack-proxies.ts';
export { type ProxyOptions, TcpProxy } from './tcp-proxy.ts';
export { tempFolder } from './temp-folder.ts';
export { openSite, type SiteClient, type SiteKind, type SiteSession } from './site-database.ts';
export { sleep, until, type UntilOptions } from './wait.ts';
export { type ApiFault, FakeBotApi } from './telegram/bot-api.ts';
export { type ApiClock, ManualClock } from './telegram/clock.ts';
export { FakeForum } from './telegram/forums.ts';
export { FakePerson, type ShownMessage } from './telegram/person.ts';

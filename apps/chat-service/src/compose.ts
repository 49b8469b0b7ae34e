import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import type { Database } from '@chat-realtime/database';
import type { EventPublisher } from '@chat-realtime/messaging';
import {
  EventTrace,
  type Logger,
  type Metrics,
  type OriginPolicy,
  rateLimitKey,
  type TrustedProxies,
} from '@chat-realtime/service-kit';
import type { RevocationSet, TokenVerifier } from '@chat-realtime/verifier';
import type { DynamicModule } from '@nestjs/common';
import { alertTargets } from './alerts/alert-targets.ts';
import { Attachments } from './attachments/attachments.ts';
import { DiskStorage } from './attachments/disk-storage.ts';
import { AttachmentLinks } from './attachments/links.ts';
import { Callbacks } from './callbacks/callbacks.ts';
import { uploadPolicy } from './attachments/upload-policy.ts';
import { type ChatService, createChatService } from './chat-service.ts';
import { ChatModule } from './chat.module.ts';
import { chatOptions, type ChatSettings } from './config.ts';
import { RequestRates } from './http/rates.ts';
import { composeMail } from './compose-mail.ts';
import { sourcesOf } from './intake/source-sight.ts';
import { createSources } from './intake/sources.ts';
import { Eraser } from './privacy/eraser.ts';
import { composeNotify } from './compose-notify.ts';
import { retentionSweep } from './privacy/retention.ts';
import { effectiveRules } from './settings/effective-rules.ts';
import { SavedSettings } from './settings/saved-settings.ts';
import { createSweeps } from './sweeps.ts';
import { Telegram, type TelegramCalls } from './telegram/telegram.ts';
import { EventTracer, type TracePeers } from './trace/event-tracer.ts';

export interface ComposeDeps {
  readonly database: Database;
  readonly publisher: EventPublisher;
  readonly settings: ChatSettings;
  /** Attachments are in `<dataDir>/attachments`. */
  readonly dataDir: string;
  /** Mails may link to pages of these origins. */
  readonly allowedOrigins?: readonly string[];
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Unless given, only this process remembers an event's path. */
  readonly trace?: EventTrace | undefined;
  /** Addresses of other processes that remember steps of an event, with the key for reading them. */
  readonly tracePeers?: TracePeers | undefined;
  /** The broker from which a ledger reads, unless RABBITMQ_SOURCE_URL names another. */
  readonly rabbitUrl?: string | undefined;
}

export interface ModuleDeps {
  readonly verifier: TokenVerifier;
  /** The set behind `verifier`; the module keeps it up to date. */
  readonly revocations: RevocationSet;
  /** The policy that guards the requests. */
  readonly origins: OriginPolicy;
  /** Proxies in front, which must never be banned. */
  readonly trustedProxies: TrustedProxies;
  /** Mounts `/internal/*`: for a gateway in another process. */
  readonly internal: boolean;
}

export interface ComposedChat {
  readonly service: ChatService;
  readonly attachments: Attachments;
  /** The Telegram bot's interface, if the bot runs in the same process. */
  readonly telegram: TelegramCalls;
  /** Its REST, for `createHttpApp`. */
  module(deps: ModuleDeps): DynamicModule;
  /** Starts the relay, and reading from a site's source of events. */
  start(): void;
  /** Stops reading and relaying and waits for work in progress; the database may be closed afterwards. */
  stop(): Promise<void>;
}

/** The whole chat-service from its configuration, the same in a separate process and in standalone. */
export function composeChat(deps: ComposeDeps): ComposedChat {
  const { database, publisher, settings, dataDir, allowedOrigins = [], logger, metrics, rabbitUrl } = deps;
  const trace = deps.trace ?? new EventTrace(logger);
  const links = new AttachmentLinks(settings.CHAT_TOKEN_SECRETS);
  const storage = new DiskStorage(join(dataDir, 'attachments'), settings.ATTACHMENT_MIN_FREE_BYTES);
  const secret = settings.CHAT_TOKEN_SECRETS.secret(settings.CHAT_TOKEN_SECRETS.signingKid) ?? '';
  const saved = new SavedSettings(database);
  const attachments = new Attachments(database, storage, links, {
    policy: async () => uploadPolicy(settings, (await saved.current()).rules.attachments),
    unsentPerSession: settings.ATTACHMENT_UNSENT_BYTES_PER_SESSION,
    hashAddress: (ip) =>
      createHmac('sha256', secret)
        .update(`upload-from\n${rateLimitKey(ip)}`)
        .digest('base64url'),
    unsentPerAddress: settings.ATTACHMENT_UNSENT_BYTES_PER_ADDRESS,
  });
  // A disk that does not respond must not block the other figures.
  const space = () => storage.space().catch(() => ({ free: Number.NaN, floor: Number.NaN }));
  metrics.gauge({
    name: 'chat_disk_free_bytes',
    help: 'Free space on the disk of the attachments',
    collect: async (gauge) => gauge.set((await space()).free),
  });
  metrics.gauge({
    name: 'chat_disk_floor_bytes',
    help: 'Uploads are refused when less than this is free',
    collect: async (gauge) => gauge.set((await space()).floor),
  });
  const rules = async () => effectiveRules(settings, (await saved.current()).rules);
  const targets = async () => alertTargets(settings, (await saved.current()).webhook);
  const env = { ...settings, ALLOWED_ORIGINS: allowedOrigins };
  const { sweeps, settle } = createSweeps(database, attachments, settings, rules, targets, logger, metrics);
  const options = chatOptions(settings);
  const reads = sourcesOf(settings, rabbitUrl);
  const service = createChatService({
    database,
    publisher,
    links,
    metrics,
    logger,
    options,
    sweeps,
    trace,
    sources: reads,
  });
  const { context, directory, source, intake } = service;
  const callbacks = new Callbacks(database, context, {
    defaultCountry: settings.CHAT_PHONE_COUNTRY,
    dueMinutes: async () => (await rules()).alerts.callback_due_minutes,
  });
  const rates = new RequestRates({
    sessionsPerMinute: settings.RATE_SESSIONS_PER_MINUTE,
    messagesPerMinute: settings.RATE_MESSAGES_PER_MINUTE,
  });
  const telegram = new Telegram({ database, context, directory, attachments, callbacks, rates, secret });
  const timeZone = async () => (await rules()).schedule?.timezone ?? 'UTC';
  const mail = composeMail({ database, context, attachments, rates, settings, secret, timeZone, logger, metrics });
  const notifications = composeNotify({ database, context, settings, mail, rules, logger, metrics });
  for (const sweep of notifications.sweeps) service.addSweep(sweep);
  const { push, notify } = notifications;
  const sources = createSources({ database, intake, settings, rabbitUrl, logger, metrics });
  const eraser = new Eraser(database, context, attachments);
  const tracer = new EventTracer(database, trace.journal, deps.tracePeers ?? { addresses: [], key: undefined });
  const parts = {
    context,
    directory,
    source,
    intake,
    database,
    attachments,
    eraser,
    callbacks,
    rates,
    telegram,
    mail,
    push,
    notify,
  };
  const own = { ...parts, tracer, saved, settings, env, logger };
  service.addSweep(retentionSweep(eraser, attachments, async () => (await rules()).retention, metrics));
  return {
    service,
    attachments,
    telegram,
    module: (deps) => ChatModule.forRoot({ ...own, ...deps }),
    start: () => {
      service.start();
      for (const source of sources) source.start();
    },
    stop: async () => {
      await Promise.all(sources.map((source) => source.stop()));
      await service.stop();
      await notifications.stop();
      await settle();
    },
  };
}

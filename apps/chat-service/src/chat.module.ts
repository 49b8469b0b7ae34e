import type { Database } from '@chat-realtime/database';
import { type Logger, type OriginPolicy, publicPrefix, type TrustedProxies } from '@chat-realtime/service-kit';
import type { RevocationSet, TokenVerifier } from '@chat-realtime/verifier';
import {
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
  type Provider,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { createHmac } from 'node:crypto';
import { AlertReader } from './alerts/alert-reader.ts';
import type { Attachments } from './attachments/attachments.ts';
import { AuditLog } from './audit/audit-log.ts';
import { Bans } from './bans/bans.ts';
import type { Callbacks } from './callbacks/callbacks.ts';
import { StartChallenge } from './challenge/start-challenge.ts';
import { type ChatSettings, customerRest } from './config.ts';
import type { ChatSource } from '@chat-realtime/protocol';
import { revocations } from './tokens/revocations.ts';
import type { StorageContext } from './storage/context.ts';
import { operatorsOnline } from './operators/operators.ts';
import { ActorInterceptor, type Directory } from './http/actor-interceptor.ts';
import { AlertsController } from './alerts/alerts.controller.ts';
import { AttachmentsController } from './attachments/attachments.controller.ts';
import { BansController } from './bans/bans.controller.ts';
import { CallbacksController } from './callbacks/callbacks.controller.ts';
import { IntakeController } from './intake/intake.controller.ts';
import type { EventIntake } from './intake/intake.ts';
import { ConfigController } from './settings/config.controller.ts';
import { CustomerRestGate } from './http/customer-rest-gate.ts';
import { OperatorsController } from './operators/operators.controller.ts';
import { IdentityController } from './identity/identity.controller.ts';
import * as token from './http/injection.ts';
import { MailProvidersController } from './mail/mail-providers.controller.ts';
import { MailController } from './mail/mail.controller.ts';
import { ChannelTokensController } from './tokens/channel-tokens.controller.ts';
import { InboxController } from './sessions/inbox.controller.ts';
import { FeedController } from './feed/feed.controller.ts';
import { NotesController } from './notes/notes.controller.ts';
import { MessagesController } from './messages/messages.controller.ts';
import { NotificationsController } from './notify/notifications.controller.ts';
import { PicturesController } from './pictures/pictures.controller.ts';
import { PrivacyController } from './privacy/privacy.controller.ts';
import { PushController } from './push/push.controller.ts';
import { QuickRepliesController } from './quick-replies/quick-replies.controller.ts';
import type { RequestRates } from './http/rates.ts';
import { SessionsController } from './sessions/sessions.controller.ts';
import { SettingsController } from './settings/settings.controller.ts';
import { LifecycleController } from './lifecycle/lifecycle.controller.ts';
import { TelegramController } from './telegram/telegram.controller.ts';
import { TraceController } from './trace/trace.controller.ts';
import { Identity } from './identity/identity.ts';
import { InternalController } from './catchup/catchup.controller.ts';
import { TelegramInternalController } from './telegram/telegram-internal.controller.ts';
import type { Mail } from './mail/mail.ts';
import { Pictures } from './pictures/pictures.ts';
import type { Eraser } from './privacy/eraser.ts';
import { SessionExport } from './privacy/export.ts';
import type { NotifyChoices } from './notify/settings.ts';
import type { Push } from './push/push.ts';
import { QuickReplies } from './quick-replies/quick-replies.ts';
import { WidgetConfigSource } from './settings/widget-config-source.ts';
import { ConsentTexts } from './consent/consent-texts.ts';
import type { SavedSettings } from './settings/saved-settings.ts';
import type { RulesEnvironment } from './settings/effective-rules.ts';
import { SharedSettingsRefresher } from './settings/shared-settings.ts';
import type { Telegram } from './telegram/telegram.ts';
import type { EventTracer } from './trace/event-tracer.ts';
import { ChannelCredentials } from './tokens/channel-credentials.ts';
import { RevocationRefresher } from './tokens/revocation-refresher.ts';
import { SessionProof } from './tokens/session-proof.ts';

export interface ChatModuleOptions {
  readonly context: StorageContext;
  readonly directory: Directory;
  readonly source: ChatSource;
  readonly intake: EventIntake;
  readonly database: Database;
  readonly attachments: Attachments;
  readonly callbacks: Callbacks;
  readonly rates: RequestRates;
  readonly telegram: Telegram;
  readonly mail: Mail;
  readonly push: Push;
  readonly notify: NotifyChoices;
  readonly eraser: Eraser;
  readonly tracer: EventTracer;
  readonly saved: SavedSettings;
  /** The environment, including the origins. */
  readonly env: ChatSettings & RulesEnvironment;
  readonly verifier: TokenVerifier;
  /** The set behind `verifier`; the module keeps it up to date. */
  readonly revocations: RevocationSet;
  /** The policy that guards the requests; staff may query it. */
  readonly origins: OriginPolicy;
  /** Proxies in front, which must never be banned. */
  readonly trustedProxies: TrustedProxies;
  readonly settings: ChatSettings;
  readonly logger: Logger;
  /** Mounts `/internal/*`: for a gateway in another process. */
  readonly internal: boolean;
}

function providers(options: ChatModuleOptions): Provider[] {
  const { context, database, verifier, settings, logger } = options;
  const credentials = new ChannelCredentials(
    settings.CHAT_TOKEN_SECRETS,
    () => verifier.channelTokenTtl,
    undefined,
    publicPrefix(settings.PUBLIC_URL),
  );
  const { saved } = options;
  const asked = {
    operatorsOnline: () => operatorsOnline(context),
    elsewhere: async () => ({
      mail: settings.SMTP_URL !== undefined,
      telegram: await options.telegram.accounts.hasBot(),
    }),
  };
  const config = new WidgetConfigSource(settings, saved, asked);
  const values: readonly (readonly [symbol, object])[] = [
    [token.CONTEXT, context],
    [token.DIRECTORY, options.directory],
    [token.SOURCE, options.source],
    [token.DATABASE, database],
    [token.INTAKE, options.intake],
    [token.CUSTOMER_REST, { rest: customerRest(settings) }],
    [token.VERIFIER, verifier],
    [token.ATTACHMENTS, options.attachments],
    [token.CALLBACKS, options.callbacks],
    [token.ALERT_READER, new AlertReader(database, context)],
    [token.IDENTITY, new Identity(context, verifier, credentials)],
    [token.CREDENTIALS, credentials],
    [token.SESSION_PROOF, new SessionProof(context, verifier, { siteKey: settings.SITE_API_KEY })],
    [token.WIDGET_CONFIG, config],
    [token.CONSENT_TEXTS, new ConsentTexts(database, () => config.shownConsent())],
    [token.QUICK_REPLIES, new QuickReplies(database)],
    [token.PICTURES, new Pictures(database)],
    [token.BANS, new Bans(database, context, options.trustedProxies)],
    [token.AUDIT, new AuditLog(database)],
    [token.ERASER, options.eraser],
    [token.TRACER, options.tracer],
    [token.EXPORT, new SessionExport(database, context, options.attachments)],
    [token.SAVED_SETTINGS, saved],
    [token.RULES_ENVIRONMENT, options.env],
    [token.ORIGINS, options.origins],
    [token.RATES, options.rates],
    [token.CHALLENGE, startChallenge(settings)],
    [token.TELEGRAM, options.telegram],
    [token.MAIL, options.mail],
    [token.PUSH, options.push],
    [token.NOTIFY, options.notify],
    [token.SHARED_SETTINGS, new SharedSettingsRefresher(saved, { origins: options.origins, verifier }, logger)],
    [
      token.REVOCATIONS,
      new RevocationRefresher({ revocations: (after) => revocations(context, after) }, options.revocations, logger),
    ],
  ];
  return [
    ActorInterceptor,
    { provide: APP_INTERCEPTOR, useClass: CustomerRestGate },
    ...values.map(([provide, useValue]) => ({ provide, useValue })),
  ];
}

function startChallenge(settings: ChatSettings): StartChallenge {
  const ring = settings.CHAT_TOKEN_SECRETS;
  const key = createHmac('sha256', ring.secret(ring.signingKid) ?? '')
    .update('start-challenge')
    .digest('base64url');
  return new StartChallenge(settings.CHALLENGE_AFTER_STARTS, key);
}

/** REST of the chat. */
@Module({})
export class ChatModule implements OnModuleInit, OnApplicationShutdown {
  readonly #revocations: RevocationRefresher;
  readonly #shared: SharedSettingsRefresher;

  constructor(
    @Inject(token.REVOCATIONS) revocations: RevocationRefresher,
    @Inject(token.SHARED_SETTINGS) shared: SharedSettingsRefresher,
  ) {
    this.#revocations = revocations;
    this.#shared = shared;
  }

  static forRoot(options: ChatModuleOptions): DynamicModule {
    return {
      module: ChatModule,
      controllers: [
        ConfigController,
        IdentityController,
        SessionsController,
        ChannelTokensController,
        InboxController,
        FeedController,
        NotesController,
        MessagesController,
        LifecycleController,
        TelegramController,
        MailController,
        MailProvidersController,
        PushController,
        NotificationsController,
        OperatorsController,
        QuickRepliesController,
        SettingsController,
        BansController,
        PrivacyController,
        TraceController,
        AttachmentsController,
        PicturesController,
        CallbacksController,
        AlertsController,
        ...(options.internal ? [InternalController, TelegramInternalController] : []),
        ...(options.settings.EVENTS_API_KEY === undefined ? [] : [IntakeController]),
      ],
      providers: providers(options),
    };
  }

  async onModuleInit(): Promise<void> {
    await this.#revocations.start();
    await this.#shared.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.#revocations.stop(), this.#shared.stop()]);
  }
}

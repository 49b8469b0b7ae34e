import {
  ChatError,
  originCheckQuerySchema,
  type OriginCheckResponse,
  type SettingsResponse,
  type WebhookTestResponse,
  settingsPatchSchema,
} from '@chat-realtime/protocol';
import { type OriginPolicy, Principal, RequireAdmin, RequireStaff } from '@chat-realtime/service-kit';
import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Inject,
  Patch,
  Post,
  Query,
  Req,
  UseInterceptors,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import {
  type AlertEnvironment,
  alertTargets,
  checkWebhook,
  fixedTargets,
  shownTargets,
} from '../alerts/alert-targets.ts';
import { testWebhook } from '../alerts/webhook-test.ts';
import type { WidgetConfigSource } from './widget-config-source.ts';
import type { ConsentTexts } from '../consent/consent-texts.ts';
import { type Saved, type SavedSettings, StaleSettings } from './saved-settings.ts';
import { checkRules, effectiveRules, fixedRules, type RulesEnvironment } from './effective-rules.ts';
import { type KeysEnvironment, shownKeys } from './shown-keys.ts';
import type { SharedSettingsRefresher } from './shared-settings.ts';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import {
  CONSENT_TEXTS,
  ORIGINS,
  RATES,
  RULES_ENVIRONMENT,
  SAVED_SETTINGS,
  SHARED_SETTINGS,
  WIDGET_CONFIG,
} from '../http/injection.ts';
import { staffActor } from '../http/principals.ts';
import type { RequestRates } from '../http/rates.ts';

/** The look of the widget, and the origins on which it works. */
@Controller('chat')
@UseInterceptors(ActorInterceptor)
export class SettingsController {
  readonly #saved: SavedSettings;
  readonly #config: WidgetConfigSource;
  readonly #origins: OriginPolicy;
  readonly #env: RulesEnvironment & AlertEnvironment & KeysEnvironment;
  readonly #rates: RequestRates;
  readonly #shared: SharedSettingsRefresher;
  readonly #consents: ConsentTexts;

  constructor(
    @Inject(SAVED_SETTINGS) saved: SavedSettings,
    @Inject(WIDGET_CONFIG) config: WidgetConfigSource,
    @Inject(ORIGINS) origins: OriginPolicy,
    @Inject(RULES_ENVIRONMENT) env: RulesEnvironment & AlertEnvironment & KeysEnvironment,
    @Inject(RATES) rates: RequestRates,
    @Inject(SHARED_SETTINGS) shared: SharedSettingsRefresher,
    @Inject(CONSENT_TEXTS) consents: ConsentTexts,
  ) {
    this.#saved = saved;
    this.#config = config;
    this.#origins = origins;
    this.#env = env;
    this.#rates = rates;
    this.#shared = shared;
    this.#consents = consents;
  }

  @Get('settings')
  @RequireAdmin()
  async settings(): Promise<SettingsResponse> {
    return this.#render(await this.#saved.read());
  }

  @Patch('settings')
  @RequireAdmin()
  async save(
    @Principal() principal: Principal,
    @Body({ schema: settingsPatchSchema }) body: z.infer<typeof settingsPatchSchema>,
  ): Promise<SettingsResponse> {
    checkRules(this.#env, body);
    checkWebhook(this.#env, body.webhook);
    const signed = this.#env.ALERT_WEBHOOK_SECRET !== undefined;
    const saved = await this.#saved.save(staffActor(principal), body, signed).catch((error: unknown) => {
      if (!(error instanceof StaleSettings)) throw error;
      const details = { parts: error.parts, settings: this.#render(error.saved) };
      throw new ChatError('stale', error.message, { details });
    });
    if (body.consent !== undefined || body.texts !== undefined) await this.#consents.keep();
    this.#shared.apply(saved.rules, saved.updatedAt);
    return this.#render(saved);
  }

  @Post('settings/webhook/test')
  @RequireAdmin()
  @HttpCode(200)
  async testWebhook(@Principal() principal: Principal): Promise<WebhookTestResponse> {
    await this.#rates.webhookTest(staffActor(principal));
    const { webhook } = await this.#saved.read();
    return testWebhook(alertTargets(this.#env, webhook), shownTargets(this.#env, webhook).urls);
  }

  @Get('origins/check')
  @RequireStaff()
  checkOrigin(
    @Query({ schema: originCheckQuerySchema }) { origin }: z.infer<typeof originCheckQuerySchema>,
    @Headers('host') host: string | undefined,
    @Req() request: FastifyRequest,
  ): OriginCheckResponse {
    const verdict = this.#origins.check(origin, host);
    const proxy = request.forwardingIgnored ? { proxy_setting: `TRUSTED_PROXIES=${request.clientIp}` } : {};
    if (!verdict.allowed) return { origin, allowed: false, reason: 'not_listed', setting: verdict.hint, ...proxy };
    const reason = verdict.reason === 'none' ? 'allowed' : verdict.reason;
    return { origin, allowed: true, reason, setting: null, ...proxy };
  }

  #render(saved: Saved): SettingsResponse {
    const { theme, texts } = this.#config.settingsWith(saved);
    return {
      settings: { theme: saved.theme, texts: saved.texts },
      effective: { theme, texts },
      rules: {
        saved: saved.rules,
        effective: effectiveRules(this.#env, saved.rules),
        fixed: [...fixedRules(this.#env), ...fixedTargets(this.#env)],
      },
      webhook: shownTargets(this.#env, saved.webhook),
      keys: shownKeys(this.#env),
      updated_at: saved.updatedAt?.toISOString() ?? null,
      parts: Object.fromEntries(
        Object.entries(saved.parts).map(([name, { updatedAt, updatedBy }]) => [
          name,
          { updated_at: updatedAt.toISOString(), updated_by: updatedBy },
        ]),
      ),
    };
  }
}

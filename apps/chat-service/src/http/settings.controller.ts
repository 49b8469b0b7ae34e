import {
  originCheckQuerySchema,
  type OriginCheckResponse,
  type SettingsResponse,
  settingsPatchSchema,
} from '@chat-realtime/protocol';
import { type OriginPolicy, Principal, RequireAdmin, RequireStaff } from '@chat-realtime/service-kit';
import { Body, Controller, Get, Headers, Inject, Patch, Query, Req, UseInterceptors } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { WidgetConfigSource } from '../schedule/widget-config-source.ts';
import type { Saved, SavedSettings } from '../settings/saved-settings.ts';
import { checkRules, effectiveRules, fixedRules, type RulesEnvironment } from '../settings/rules.ts';
import { ActorInterceptor } from './actor-interceptor.ts';
import { ORIGINS, RULES_ENVIRONMENT, SAVED_SETTINGS, WIDGET_CONFIG } from './injection.ts';
import { staffActor } from './principals.ts';

/** How the widget looks, and on which pages it works. */
@Controller('chat')
@UseInterceptors(ActorInterceptor)
export class SettingsController {
  readonly #saved: SavedSettings;
  readonly #config: WidgetConfigSource;
  readonly #origins: OriginPolicy;
  readonly #env: RulesEnvironment;

  constructor(
    @Inject(SAVED_SETTINGS) saved: SavedSettings,
    @Inject(WIDGET_CONFIG) config: WidgetConfigSource,
    @Inject(ORIGINS) origins: OriginPolicy,
    @Inject(RULES_ENVIRONMENT) env: RulesEnvironment,
  ) {
    this.#saved = saved;
    this.#config = config;
    this.#origins = origins;
    this.#env = env;
  }

  @Get('settings')
  @RequireStaff()
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
    return this.#render(await this.#saved.save(staffActor(principal), body));
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
        fixed: fixedRules(this.#env),
      },
      updated_at: saved.updatedAt?.toISOString() ?? null,
    };
  }
}

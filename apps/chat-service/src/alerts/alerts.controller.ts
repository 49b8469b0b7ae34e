import { alertsQuerySchema } from '@chat-realtime/protocol';
import { Principal, RequireStaff } from '@chat-realtime/service-kit';
import { Controller, Get, Inject, Query, UseInterceptors } from '@nestjs/common';
import type { z } from 'zod';
import type { AlertReader } from './alert-reader.ts';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import { ALERT_READER } from '../http/injection.ts';
import { staffActor } from '../http/principals.ts';

@Controller('chat/alerts')
@UseInterceptors(ActorInterceptor)
export class AlertsController {
  readonly #alerts: AlertReader;

  constructor(@Inject(ALERT_READER) alerts: AlertReader) {
    this.#alerts = alerts;
  }

  @Get()
  @RequireStaff()
  read(
    @Principal() principal: Principal,
    @Query({ schema: alertsQuerySchema }) query: z.infer<typeof alertsQuerySchema>,
  ) {
    return this.#alerts.read(staffActor(principal), query.since);
  }
}

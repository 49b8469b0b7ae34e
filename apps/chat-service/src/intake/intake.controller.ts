import { type IntakeResponse, INTAKE_MAX_EVENTS, intakeSessionsRequestSchema } from '@chat-realtime/protocol';
import { RequireEventsKey, validate } from '@chat-realtime/service-kit';
import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { z } from 'zod';
import { INTAKE } from '../http/injection.ts';
import type { EventIntake } from './intake.ts';

/** Only the list: the intake checks its elements, the same for every source. */
const listSchema = z.object({ events: z.array(z.unknown()).min(1).max(INTAKE_MAX_EVENTS) });

/** Events that a site sends over HTTP. */
@Controller('intake')
export class IntakeController {
  readonly #intake: EventIntake;

  constructor(@Inject(INTAKE) intake: EventIntake) {
    this.#intake = intake;
  }

  @Post('events')
  @RequireEventsKey()
  @HttpCode(200)
  async events(@Body() body: unknown): Promise<IntakeResponse> {
    const { events } = validate<z.infer<typeof listSchema>>(listSchema, body);
    const { accepted, duplicate, ids } = await this.#intake.takeAll(events, 'http');
    if (ids.sessions.size === 0 && ids.messages.size === 0) return { accepted, duplicate };
    return {
      accepted,
      duplicate,
      ids: { sessions: Object.fromEntries(ids.sessions), messages: Object.fromEntries(ids.messages) },
    };
  }

  @Post('sessions')
  @RequireEventsKey()
  @HttpCode(200)
  async sessions(@Body({ schema: intakeSessionsRequestSchema }) body: z.infer<typeof intakeSessionsRequestSchema>) {
    return { sessions: Object.fromEntries(await this.#intake.sessionNumbers(body.sessions)) };
  }
}

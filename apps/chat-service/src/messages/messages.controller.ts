import {
  eventsQuerySchema,
  messagesQuerySchema,
  postMessageRequestSchema,
  readRequestSchema,
} from '@chat-realtime/protocol';
import { ClientIp, Principal, RequireCustomerOrStaff, validate } from '@chat-realtime/service-kit';
import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import type { StorageContext } from '../storage/context.ts';
import { postMessage } from './messages.ts';
import { events, history } from './history.ts';
import { markRead } from './marks.ts';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import { CONTEXT, RATES } from '../http/injection.ts';
import { actorOf, sessionIdOf } from '../http/principals.ts';
import type { RequestRates } from '../http/rates.ts';
import { traceparentOf } from '../http/traceparent.ts';

/** `Idempotency-Key` is another way to give `client_message_id`; the body wins. */
function withIdempotencyKey(body: unknown, key: string | undefined): unknown {
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  return isObject && key !== undefined && !('client_message_id' in body) ? { ...body, client_message_id: key } : body;
}

@Controller('chat/session/:id')
@UseInterceptors(ActorInterceptor)
export class MessagesController {
  readonly #context: StorageContext;
  readonly #rates: RequestRates;

  constructor(@Inject(CONTEXT) context: StorageContext, @Inject(RATES) rates: RequestRates) {
    this.#context = context;
    this.#rates = rates;
  }

  @Post('messages')
  @RequireCustomerOrStaff()
  async post(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @Body() body: unknown,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Headers('traceparent') traceparent: string | undefined,
    @ClientIp() ip: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const actor = actorOf(principal);
    const request = validate(postMessageRequestSchema, withIdempotencyKey(body, idempotencyKey));
    await this.#rates.message(actor);
    const { message, created } = await postMessage(this.#context, actor, sessionIdOf(id), {
      body: request.body,
      clientMessageId: request.client_message_id,
      attachments: request.attachments,
      expectedSeq: request.expected_seq,
      address: actor.kind === 'customer' ? ip : undefined,
      traceparent: traceparentOf(traceparent),
    });
    void reply.code(created ? 201 : 200);
    return { message };
  }

  @Get('messages')
  @RequireCustomerOrStaff()
  history(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @Query({ schema: messagesQuerySchema }) query: z.infer<typeof messagesQuerySchema>,
  ) {
    return history(this.#context, actorOf(principal), sessionIdOf(id), {
      ...(query.before_id === undefined ? {} : { beforeId: query.before_id }),
      ...(query.after_id === undefined ? {} : { afterId: query.after_id }),
      limit: query.limit,
    });
  }

  @Get('events')
  @RequireCustomerOrStaff()
  events(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @Query({ schema: eventsQuerySchema }) query: z.infer<typeof eventsQuerySchema>,
  ) {
    return events(this.#context, actorOf(principal), sessionIdOf(id), {
      afterSeq: query.after_seq,
      limit: query.limit,
    });
  }

  @Post('read')
  @RequireCustomerOrStaff()
  @HttpCode(200)
  read(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @Body({ schema: readRequestSchema }) body: z.infer<typeof readRequestSchema>,
  ) {
    return markRead(this.#context, actorOf(principal), sessionIdOf(id), body.last_id);
  }
}

import { ChatError } from '@chat-realtime/protocol';
import { type CallHandler, type ExecutionContext, Inject, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { catchError, type Observable } from 'rxjs';
import type { ChatOperations } from '../operations.ts';
import { OPERATIONS } from './injection.ts';
import { staffActor } from './principals.ts';

/**
 * What every call does for whoever makes it: an operator becomes known by the token they show, and a customer is told
 * nothing of sessions that are not theirs, not even that they do not exist.
 */
@Injectable()
export class ActorInterceptor implements NestInterceptor {
  readonly #operations: ChatOperations;

  constructor(@Inject(OPERATIONS) operations: ChatOperations) {
    this.#operations = operations;
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const { principal } = context.switchToHttp().getRequest<FastifyRequest>();
    if (principal?.kind === 'staff') await this.#operations.staffSeen(staffActor(principal));
    if (principal?.kind !== 'customer') return next.handle();
    return next.handle().pipe(
      catchError((error: unknown) => {
        const isHidden = error instanceof ChatError && error.code === 'session_not_found';
        throw isHidden ? new ChatError('bad_token', 'the token is not valid here', { cause: error }) : error;
      }),
    );
  }
}

import { ChatError } from '@chat-realtime/protocol';
import { type CallHandler, type ExecutionContext, Inject, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { catchError, type Observable } from 'rxjs';
import type { StaffActor } from '../actors.ts';
import { DIRECTORY } from './injection.ts';
import { staffActor } from './principals.ts';

/** Records operators by their tokens. */
export interface Directory {
  seen(actor: StaffActor): Promise<void>;
}

/**
 * Applies to every call: an operator becomes known by the token they use, and a customer learns nothing about other
 * sessions, not even whether they exist.
 */
@Injectable()
export class ActorInterceptor implements NestInterceptor {
  readonly #directory: Directory;

  constructor(@Inject(DIRECTORY) directory: Directory) {
    this.#directory = directory;
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const { principal } = context.switchToHttp().getRequest<FastifyRequest>();
    if (principal?.kind === 'staff') await this.#directory.seen(staffActor(principal));
    if (principal?.kind !== 'customer') return next.handle();
    return next.handle().pipe(
      catchError((error: unknown) => {
        const isHidden = error instanceof ChatError && error.code === 'session_not_found';
        throw isHidden ? new ChatError('bad_token', 'the token is not valid here', { cause: error }) : error;
      }),
    );
  }
}

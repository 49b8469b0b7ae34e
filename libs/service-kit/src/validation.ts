import { ChatError } from '@chat-realtime/protocol';
import { type ArgumentMetadata, type PipeTransform, StandardSchemaValidationPipe } from '@nestjs/common';
import type { z } from 'zod';

export interface FieldProblem {
  /** `message.body`; empty for the whole value. */
  readonly path: string;
  readonly message: string;
}

const MAX_PROBLEMS = 50;

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

function validationError(issues: readonly Issue[]): ChatError {
  const fields: FieldProblem[] = issues.slice(0, MAX_PROBLEMS).map((issue) => ({
    path: (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
    message: issue.message,
  }));
  return new ChatError('validation_failed', 'the request is well-formed but not valid', { details: { fields } });
}

/**
 * Checks a body, a query or parameters. An absent body counts as an empty object, so that calls whose fields are all
 * optional need none.
 * @throws ChatError `validation_failed` with the field paths.
 */
export function validate<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value ?? {});
  if (!result.success) throw validationError(result.error.issues);
  return result.data;
}

/** An absent body counts as an empty object here too. */
class EmptyBodyPipe implements PipeTransform {
  transform(value: unknown, { type, schema }: ArgumentMetadata): unknown {
    return type === 'body' && schema !== undefined ? (value ?? {}) : value;
  }
}

/** The same for `@Body({ schema })`, `@Query({ schema })`, `@Param({ schema })`. */
export function createValidationPipes(): PipeTransform[] {
  return [new EmptyBodyPipe(), new StandardSchemaValidationPipe({ exceptionFactory: validationError })];
}

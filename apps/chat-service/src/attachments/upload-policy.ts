import type { Rules } from '@chat-realtime/protocol';
import { fieldError } from '../field-error.ts';
import { AcceptedTypes } from './accepted-types.ts';

export interface AttachmentEnvironment {
  readonly ATTACHMENT_MAX_BYTES: number;
  readonly ATTACHMENT_TYPES: AcceptedTypes;
}
type SavedPolicy = NonNullable<Rules['attachments']>;

/** Which uploads are accepted now. */
export interface UploadPolicy {
  readonly enabled: boolean;
  readonly maxBytes: number;
  readonly types: AcceptedTypes;
}

/** Saved settings can narrow the limits of the environment, never widen them. */
export function uploadPolicy(env: AttachmentEnvironment, saved: SavedPolicy = {}): UploadPolicy {
  const types = AcceptedTypes.parse(saved.types ?? []).within(env.ATTACHMENT_TYPES);
  return {
    enabled: (saved.enabled ?? true) && !types.isNothing,
    maxBytes: Math.min(env.ATTACHMENT_MAX_BYTES, saved.max_bytes ?? env.ATTACHMENT_MAX_BYTES),
    types,
  };
}

/** @throws ChatError 422 for what is beyond the limits of the environment. */
export function checkUploadPolicy(env: AttachmentEnvironment, { max_bytes, types = [] }: SavedPolicy): void {
  if (max_bytes !== undefined && max_bytes > env.ATTACHMENT_MAX_BYTES)
    throw fieldError('attachments.max_bytes', `must be at most ${env.ATTACHMENT_MAX_BYTES} (ATTACHMENT_MAX_BYTES)`);
  const beyond = types.findIndex((type) => !env.ATTACHMENT_TYPES.has(type));
  if (beyond >= 0) throw fieldError(`attachments.types.${beyond}`, 'is not allowed by ATTACHMENT_TYPES');
}

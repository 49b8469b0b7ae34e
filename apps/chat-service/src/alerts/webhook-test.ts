import { randomUUID } from 'node:crypto';
import { type alertTestWebhookSchema, ChatError, type WebhookTestResponse } from '@chat-realtime/protocol';
import type { z } from 'zod';
import type { AlertTargets } from './alert-targets.ts';
import { sendWebhook } from './webhook-sender.ts';

/** An admin waits for it. */
const TIMEOUT_MS = 5_000;

/**
 * Tries each address once.
 * @throws ChatError 409 where there is nothing to try
 */
export async function testWebhook(
  { urls, secret, privateHosts }: AlertTargets,
  shown: readonly string[],
): Promise<WebhookTestResponse> {
  if (urls.length === 0 || secret === undefined)
    throw new ChatError('no_alert_targets', 'alerts go nowhere: an address and a secret are needed');
  const body: z.input<typeof alertTestWebhookSchema> = {
    id: `test:${randomUUID()}`,
    type: 'chat.alert.test',
    created_at: new Date().toISOString(),
  };
  const results = await Promise.all(
    urls.map(async (url, index) => {
      const result = await sendWebhook(url, secret, JSON.stringify(body), undefined, TIMEOUT_MS, privateHosts);
      return { url: shown[index] ?? '', delivered: result.ok, reason: result.ok ? null : result.reason };
    }),
  );
  return { results };
}

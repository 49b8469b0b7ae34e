import { type ChatClient, ChatClientError } from '@chat-realtime/client';

const NAME = 'chat-return=';

/**
 * Reads the code of a mail link, `#chat-return=…`, and removes it from the address, so that other scripts of the page
 * cannot read it and the history does not keep it. The rest behind the `#` belongs to the page, and stays.
 */
export function takeReturnCode(
  at: Pick<Location, 'hash' | 'pathname' | 'search'> = location,
  pages: Pick<History, 'state' | 'replaceState'> = history,
): string | null {
  const { hash, pathname, search } = at;
  const parts = hash.slice(1).split('&');
  const code = parts.find((part) => part.startsWith(NAME))?.slice(NAME.length);
  if (code === undefined) return null;
  const rest = parts.filter((part) => !part.startsWith(NAME)).join('&');
  pages.replaceState(pages.state, '', `${pathname}${search}${rest && `#${rest}`}`);
  return code;
}

const AGAIN_MS = 3_000;

export type Said = 'linkEnded' | 'linkSignedIn' | 'wait' | 'connectionLost';

interface Opening {
  readonly client: Pick<ChatClient, 'openMailLink'>;
  readonly signal: AbortSignal;
  /** Shows a text to the person. */
  readonly say: (text: Said | null) => void;
  readonly failed: (error: unknown) => void;
}

/** Opens the chat of a mail's link. While the server does not answer the code is good, so it is asked again. */
export async function followReturnLink(code: string, { client, signal, say, failed }: Opening): Promise<void> {
  while (!signal.aborted) {
    try {
      await client.openMailLink(code);
      say(null);
      return;
    } catch (error) {
      if (signal.aborted) return;
      const known = error instanceof ChatClientError ? error : null;
      if (known?.code === 'bad_credentials' || known?.code === 'validation_failed') return say('linkEnded');
      if (known?.code === 'signed_in') return say('linkSignedIn');
      failed(error);
      if (!known?.retryable) return say('linkEnded');
      say(known.code === 'rate_limited' ? 'wait' : 'connectionLost');
      const pause = Math.max(known.retryAfterMs ?? 0, AGAIN_MS);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

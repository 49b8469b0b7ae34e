import { ChatClientError } from '@chat-realtime/client';

/**
 * The browser hides the answer to a refused origin from the page, so it looks like a lost network. A request whose
 * answer nobody may read distinguishes the two: it succeeds when the server is available.
 */
async function looksRefused(error: unknown, baseUrl: string): Promise<boolean> {
  if (!(error instanceof ChatClientError)) return false;
  if (error.code === 'origin_not_allowed') return true;
  if (error.code !== 'network' || new URL(baseUrl).origin === location.origin) return false;
  return fetch(`${baseUrl}/chat/config`, { mode: 'no-cors', cache: 'no-store' }).then(
    () => true,
    () => false,
  );
}

/** Logs what is missing for the developer who embeds the widget, once. */
export function createOriginAdviser(baseUrl: string): (error: unknown) => Promise<void> {
  let reported = false;
  return async (error) => {
    if (reported || !(await looksRefused(error, baseUrl)) || reported) return;
    reported = true;
    // oxlint-disable-next-line no-console -- the person at the console is the one this is for
    console.error(
      `[chat-widget] ${baseUrl} refuses this page. Add its origin to the server's setting: ALLOWED_ORIGINS=${location.origin}`,
    );
  };
}

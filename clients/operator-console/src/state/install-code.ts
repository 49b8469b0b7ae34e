import type { SavedTheme } from './widget-settings.ts';

const quoted = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');

/**
 * The code that the owner of a site pastes. The button is drawn before any request to the server, so its look is in the
 * code.
 */
export function widgetSnippet(server: string, { accent, scheme }: Pick<SavedTheme, 'accent' | 'scheme'> = {}): string {
  const look = [
    ...(accent === undefined ? [] : [` data-accent="${quoted(accent)}"`]),
    ...(scheme === undefined || scheme === 'auto' ? [] : [` data-scheme="${quoted(scheme)}"`]),
  ].join('');
  return `<script async src="${server}/widget/v1/loader.js"${look}></script>`;
}

/** The recipe of docs/widget.md for this server. */
export function cspLine(server: string): string {
  // A path in a source would have to match to the letter.
  const { origin } = new URL(server);
  return `script-src ${origin}; connect-src ${origin} ${origin.replace(/^http/, 'ws')}; img-src ${origin}`;
}

export function badgeSnippet(server: string): string {
  return [
    '<span data-chat-unassigned></span> <span data-chat-mine></span>',
    `<script async src="${server}/widget/v1/badge.js" data-token-url="/chat-token"></script>`,
  ].join('\n');
}

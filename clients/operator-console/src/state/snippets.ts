/** What the owner of a site pastes. */
export function widgetSnippet(server: string): string {
  return `<script async src="${server}/widget/v1/loader.js"></script>`;
}

export function cspLine(server: string): string {
  const socket = server.replace(/^http/, 'ws');
  return `script-src ${server}; style-src ${server}; connect-src ${server} ${socket}; img-src ${server} blob: data:`;
}

export function badgeSnippet(server: string): string {
  return [
    '<span data-chat-unassigned></span> <span data-chat-mine></span>',
    `<script async src="${server}/widget/v1/badge.js" data-token-url="/chat-token"></script>`,
  ].join('\n');
}

/** Scheme, host and port of an http(s) address; null for anything else. */
export function originOf(text: string): string | null {
  if (!URL.canParse(text.trim())) return null;
  const { origin, protocol } = new URL(text.trim());
  return protocol === 'https:' || protocol === 'http:' ? origin : null;
}

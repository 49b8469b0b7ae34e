/** The cause of a failed mail. */
export type MailFailure =
  /** The server has not taken it: it is given again later. */
  | { readonly kind: 'passing'; readonly reason: string }
  /** It will never be accepted; `isBadAddress`: because of its recipient. */
  | { readonly kind: 'final'; readonly reason: string; readonly isBadAddress: boolean }
  /** The connection ended before the server's last word: it may have it. */
  | { readonly kind: 'ambiguous'; readonly reason: string };

/** Before a word of the mail itself was said. */
const BEFORE_DATA = new Set(['EDNS', 'EAUTH', 'ENOAUTH', 'EOAUTH2', 'EENVELOPE', 'ETLS', 'ECONFIG', 'EPROXY']);
const COMMANDS_BEFORE_DATA = new Set(['CONN', 'EHLO', 'HELO', 'STARTTLS', 'MAIL FROM', 'RCPT TO', 'API']);
/** No such mailbox, moved, not allowed as a name; not a server that is full or that dislikes us. */
const BAD_ADDRESS = new Set([550, 551, 553]);

function field(error: Error, name: string): unknown {
  return name in error ? Reflect.get(error, name) : undefined;
}

export function mailFailure(error: unknown): MailFailure {
  if (!(error instanceof Error)) return { kind: 'ambiguous', reason: 'unknown' };
  const code = field(error, 'code');
  const command = field(error, 'command');
  const status = field(error, 'responseCode');
  const name = typeof code === 'string' ? code : 'error';
  if (typeof status === 'number') {
    const reason = `${status}`;
    if (status < 500 || name === 'EAUTH') return { kind: 'passing', reason };
    return { kind: 'final', reason, isBadAddress: command === 'RCPT TO' && BAD_ADDRESS.has(status) };
  }
  const isBefore =
    BEFORE_DATA.has(name) ||
    field(error, 'syscall') === 'connect' ||
    (typeof command === 'string' && COMMANDS_BEFORE_DATA.has(command) && !/closed|lost|timeout/i.test(error.message)) ||
    /greeting|connection timeout/i.test(error.message);
  return { kind: isBefore ? 'passing' : 'ambiguous', reason: name };
}

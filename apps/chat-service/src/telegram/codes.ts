import { createHash, createHmac, randomBytes, randomInt, type KeyObject } from 'node:crypto';

/** What is read aloud and typed on a phone: no 0 and O, no 1, I and L, no U. */
const ALPHABET = '23456789ABCDEFGHJKMNPQRSTVWXYZ';
const CODE_LENGTH = 10;
/** Telegram allows `A-Za-z0-9_-` in `?start=`; the prefixes show the purpose. */
const LOGIN_PREFIX = 'login_';
const LINK_PREFIX = 'chat_';

export function newLoginCode(): string {
  return Array.from({ length: CODE_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}

export function newLinkCode(): string {
  return LINK_PREFIX + randomBytes(24).toString('base64url');
}

export function startAddress(bot: string, parameter: string): string {
  return `https://t.me/${bot}?start=${parameter}`;
}

export function loginAddress(bot: string, code: string): string {
  return startAddress(bot, LOGIN_PREFIX + code);
}

/** A code as it was made, from what somebody typed or an address carried. */
export function normalCode(text: string): string {
  const given = text.trim();
  if (given.startsWith(LINK_PREFIX)) return given;
  const typed = given.startsWith(LOGIN_PREFIX) ? given.slice(LOGIN_PREFIX.length) : given;
  return typed.toUpperCase().replaceAll(/[\s-]/g, '');
}

/** Keyed: a login code is short enough to be guessed from a plain hash. */
export function hashCode(secret: string | KeyObject, code: string): string {
  return createHmac('sha256', secret).update(`telegram-code\n${code}`).digest('base64url');
}

/**
 * The resume key of a chat that starts in Telegram: the same for a repeat of the message that starts it, and known to
 * nobody.
 */
export function resumeKeyOf(secret: string | KeyObject, telegramUserId: number, clientMessageId: string): string {
  const first = createHash('sha256').update(clientMessageId).digest('base64url');
  return createHmac('sha256', secret).update(`telegram-session\n${telegramUserId}\n${first}`).digest('base64url');
}

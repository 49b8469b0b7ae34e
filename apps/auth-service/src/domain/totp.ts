import { createHash, randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';

/** The defaults of every authenticator app: SHA-1, six digits, half a minute. */
const PERIOD_SECONDS = 30;
const DIGITS = 6;
/** Steps before and after: clocks of telephones are not exact, and people type slowly. */
const WINDOW = 1;
const RECOVERY_CODES = 10;
/** Of 5 bits each: 80 bits. */
const RECOVERY_LETTERS = 16;
/** Without letters and figures that look alike; 32 of them. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz123456789';

function totp(secret: string): TOTP {
  return new TOTP({ secret: Secret.fromBase32(secret), algorithm: 'SHA1', digits: DIGITS, period: PERIOD_SECONDS });
}

/** Base32, 160 bits. */
export function newTotpSecret(): string {
  return new Secret({ size: 20 }).base32;
}

/** `issuer` and `login` are what the app shows. */
export function otpauthUrl(secret: string, issuer: string, login: string): string {
  // A colon would end the issuer within the label.
  return new TOTP({
    issuer: issuer.replaceAll(':', ' '),
    label: login,
    secret: Secret.fromBase32(secret),
    algorithm: 'SHA1',
    digits: DIGITS,
    period: PERIOD_SECONDS,
  }).toString();
}

/** The time step that `code` belongs to, which is taken once; null for a code of no step near `nowMs`. */
export function totpStep(secret: string, code: string, nowMs: number): number | null {
  const digits = code.replaceAll(/\s/g, '');
  if (!/^\d{6}$/.test(digits)) return null;
  const delta = totp(secret).validate({ token: digits, timestamp: nowMs, window: WINDOW });
  return delta === null ? null : Math.floor(nowMs / 1000 / PERIOD_SECONDS) + delta;
}

export function newRecoveryCodes(): string[] {
  return Array.from({ length: RECOVERY_CODES }, newRecoveryCode);
}

/** `xxxx-xxxx-xxxx-xxxx`; 256 is a multiple of 32, so every letter is as likely as another. */
function newRecoveryCode(): string {
  const letters = Array.from(randomBytes(RECOVERY_LETTERS), (byte) => ALPHABET.charAt(byte % ALPHABET.length));
  return letters.join('').replaceAll(/(.{4})(?=.)/g, '$1-');
}

/** However it is typed: with or without dashes, in small or large letters. */
export function hashRecoveryCode(code: string): string {
  const plain = code.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  return createHash('sha256').update(plain).digest('hex');
}

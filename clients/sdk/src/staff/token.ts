import type { StaffToken, StaffTokenProvider } from '../api/staff-token.ts';
import type { Environment } from '../api/environment.ts';
import { renewAfterMs } from '../core/renewal.ts';
import { claimsOf } from './claims.ts';

export interface StaffTokenSource {
  /** The token as last given; empty before the first. */
  readonly current: string;
  readonly renewAt: number | null;
  /** `sub` of the token. */
  readonly userId: string | null;
  readonly get: () => Promise<string>;
  readonly renew: () => Promise<void>;
  readonly expire: () => void;
}

export function createStaffToken(
  { wallNow }: Pick<Environment, 'wallNow'>,
  getToken: StaffTokenProvider,
): StaffTokenSource {
  let current = '';
  let renewAt: number | null = null;
  let userId: string | null = null;
  let refused = false;
  let asking: Promise<string> | null = null;

  const take = ({ token, expires_at }: StaffToken): string => {
    const { sub, iat, exp } = claimsOf(token);
    // Its own life where it says so: the device's clock may be hours off.
    const whole = iat && exp ? (exp - iat) * 1_000 : null;
    const rest = expires_at ? Date.parse(expires_at) - wallNow() : null;
    // A token that was not made for this answer has less left than its whole life.
    const life = whole !== null && rest !== null && rest > 0 ? Math.min(whole, rest) : (whole ?? rest);
    if (token !== current) renewAt = life === null ? null : wallNow() + renewAfterMs(life);
    current = token;
    userId = sub ?? userId;
    refused = false;
    return token;
  };
  const ask = (force: boolean): Promise<string> =>
    (asking ??= getToken({ force })
      .then(take)
      .finally(() => {
        asking = null;
      }));
  return {
    get current() {
      return current;
    },
    get renewAt() {
      return renewAt;
    },
    get userId() {
      return userId;
    },
    get: () =>
      current && !refused && (renewAt === null || wallNow() < renewAt) ? Promise.resolve(current) : ask(refused),
    async renew() {
      await ask(true);
    },
    expire() {
      refused = true;
    },
  };
}

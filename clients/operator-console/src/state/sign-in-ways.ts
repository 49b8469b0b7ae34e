import type { SignInWays } from '@chat-realtime/client/staff';
import { chatAddress } from './chat-address.ts';
import { auth } from './sign-in.ts';

/** What the identity provider's part ended with, in the address: `#oidc=done`, or the reason why not. */
export function oidcOutcome(): string | null {
  return /^#oidc=(\w{1,40})$/.exec(location.hash)?.[1] ?? null;
}

/** Out of the address, so that a reload does not tell it again. */
export function forgetOidc(): void {
  if (oidcOutcome() !== null) history.replaceState(null, '', location.pathname + location.search);
}

/** Signs in an operator who returns from the provider. Undefined: no one does; otherwise why it failed. */
export async function finishOidc(): Promise<string | undefined> {
  const outcome = oidcOutcome();
  if (outcome === null) return undefined;
  forgetOidc();
  if (outcome !== 'done') return outcome;
  try {
    await auth.loginByProvider();
    return undefined;
  } catch {
    // Too late, or used already: there is one way on, which is to begin again.
    return 'refused';
  }
}

/** Without an answer the form with login and password is all there is. */
export async function signInWays(): Promise<SignInWays> {
  try {
    const response = await fetch(`${chatAddress()}/auth/sign-in`, { cache: 'no-store' });
    return response.ok ? ((await response.json()) as SignInWays) : { oidc: null };
  } catch {
    return { oidc: null };
  }
}

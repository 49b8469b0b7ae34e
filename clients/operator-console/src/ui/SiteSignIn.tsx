import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { auth, goToSiteSignIn, signIn, siteSignInUrl } from '../state/sign-in.ts';
import { LocaleSwitch } from './LocaleSwitch.tsx';
import { Icon } from './parts/Icon.tsx';

/** Replaces the form if operators sign in on the site: redirects there, and waits if it has just come from there. */
export function SiteSignIn() {
  const { loginUrl } = signIn;
  const [leaving, setLeaving] = useState(false);
  useEffect(() => {
    if (loginUrl !== null) setLeaving(goToSiteSignIn(loginUrl));
  }, [loginUrl]);
  if (leaving) {
    return (
      <main class="splash" aria-busy="true">
        <p>{t().loading}</p>
      </main>
    );
  }
  const again = (): void => {
    // Its outcome appears in the state of the sign-in.
    auth.getToken({ force: true }).catch(() => undefined);
  };
  return (
    <main class="login">
      <div class="login-box">
        <span class="login-mark">
          <Icon name="chats" />
        </span>
        <h1>{t().siteSignIn}</h1>
        <p class="hint">{t().siteSignInHint}</p>
        {loginUrl !== null && (
          <a class="button primary wide" href={siteSignInUrl(loginUrl)} data-action="site-sign-in">
            {t().siteSignInGo}
          </a>
        )}
        <button type="button" class="quiet wide" data-action="site-sign-in-again" onClick={again}>
          {t().siteSignInAgain}
        </button>
        <LocaleSwitch />
      </div>
    </main>
  );
}

import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { Actions } from '../state/actions.ts';
import { auth, Desk } from '../state/desk.ts';
import { forgetInvite, inviteKey } from '../state/invite.ts';
import { settings } from '../settings.ts';
import { signedIn, signIn } from '../state/sign-in.ts';
import { useStore } from '../store.ts';
import { DeskScope } from './context.ts';
import { DeskView } from './DeskView.tsx';
import { Invitation } from './Invitation.tsx';
import { Login } from './Login.tsx';
import { SiteSignIn } from './SiteSignIn.tsx';

interface Scope {
  readonly desk: Desk;
  readonly actions: Actions;
}

export function App() {
  const state = useStore(auth);
  const { locale, theme } = useStore(settings);
  const [scope, setScope] = useState<Scope | null>(null);
  const [invite, setInvite] = useState(inviteKey);
  const user = state.status === 'signed_in' ? state.user : null;

  useEffect(() => {
    document.documentElement.lang = locale;
    if (theme === 'auto') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
  }, [locale, theme]);

  // The site's own sign-in is not stored here: the site is queried, repeatedly while it does not answer.
  useEffect(() => {
    if (signIn.tokenUrl === null || state.status !== 'unknown') return undefined;
    const ask = (): void => void auth.getToken({ force: false }).catch(() => undefined);
    ask();
    const timer = setInterval(ask, 5_000);
    return () => clearInterval(timer);
  }, [state.status]);

  useEffect(() => {
    if (user === null) return undefined;
    signedIn();
    const desk = new Desk(user);
    setScope({ desk, actions: new Actions(desk) });
    return () => {
      desk.destroy();
      setScope(null);
    };
  }, [user?.id]);

  if (invite !== null) {
    const done = (): void => {
      forgetInvite();
      setInvite(null);
    };
    return <Invitation key={locale} inviteKey={invite} done={done} />;
  }
  if (state.status === 'signed_out')
    return signIn.tokenUrl === null ? <Login key={locale} /> : <SiteSignIn key={locale} />;
  if (scope === null) {
    return (
      <main class="splash" aria-busy="true">
        <p>{t().loading}</p>
      </main>
    );
  }
  return (
    <DeskScope.Provider value={scope}>
      <DeskView key={locale} />
    </DeskScope.Provider>
  );
}

import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { Actions } from '../state/actions.ts';
import { auth, Desk } from '../state/desk.ts';
import { settings } from '../state/settings.ts';
import { useStore } from '../state/store.ts';
import { DeskScope } from './context.ts';
import { DeskView } from './DeskView.tsx';
import { Login } from './Login.tsx';

interface Scope {
  readonly desk: Desk;
  readonly actions: Actions;
}

export function App() {
  const state = useStore(auth);
  const { locale, theme } = useStore(settings);
  const [scope, setScope] = useState<Scope | null>(null);
  const user = state.status === 'signed_in' ? state.user : null;

  useEffect(() => {
    document.documentElement.lang = locale;
    if (theme === 'auto') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
  }, [locale, theme]);

  useEffect(() => {
    if (user === null) return undefined;
    const desk = new Desk(user);
    setScope({ desk, actions: new Actions(desk) });
    return () => {
      desk.destroy();
      setScope(null);
    };
  }, [user?.id]);

  if (state.status === 'signed_out') return <Login key={locale} />;
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

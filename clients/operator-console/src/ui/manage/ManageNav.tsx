import { t } from '../../i18n/index.ts';
import { router } from '../../state/desk.ts';
import type { ManagePage } from '../../names.ts';
import { routeHash } from '../../state/route.ts';
import { signIn } from '../../state/sign-in.ts';
import { useStore } from '../../store.ts';
import { useDesk } from '../context.ts';

/** The administration pages that this person may use. There is no page for accounts if the site signs operators in. */
export function managePages(role: 'operator' | 'admin'): readonly ManagePage[] {
  const own = signIn.tokenUrl === null;
  const admin = role === 'admin';
  return [
    ...(admin && own ? (['team'] as const) : []),
    ...(admin ? (['rules'] as const) : []),
    'bans',
    ...(admin ? (['audit'] as const) : []),
    'notifications',
    ...(own ? (['account'] as const) : []),
  ];
}

export function ManageNav() {
  const { desk } = useDesk();
  const here = useStore(router, (state) => state.route.page);
  return (
    <nav class="manage-nav" aria-label={t().manage.title}>
      {managePages(desk.role).map((page) => (
        <a key={page} href={routeHash({ page })} data-page={page} aria-current={here === page ? 'page' : undefined}>
          {t().manage.pages[page]}
        </a>
      ))}
    </nav>
  );
}

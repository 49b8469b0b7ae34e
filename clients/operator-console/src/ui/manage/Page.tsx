import type { ComponentChildren } from 'preact';
import { t } from '../../i18n/index.ts';
import type { ManagePage } from '../../names.ts';
import type { Loaded } from '../use-loaded.ts';
import { ManageNav } from './ManageNav.tsx';

interface PageProps {
  readonly page: ManagePage;
  readonly action?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** One administration page, below the navigation to the others. */
export function Page({ page, action, children }: PageProps) {
  return (
    <div class="page manage" id="conversation" tabIndex={-1}>
      <ManageNav />
      <header class="page-head">
        <h1>{t().manage.pages[page]}</h1>
        {action}
      </header>
      {children}
    </div>
  );
}

/** Shown until the content is loaded. */
export function Waiting({ loaded, retry }: { loaded: Loaded<unknown>; retry: () => void }) {
  if (loaded.state === 'loading') return <p>{t().loading}</p>;
  if (loaded.state === 'ready') return null;
  return (
    <p>
      {t().noAnswer}{' '}
      <button type="button" class="quiet" onClick={retry}>
        {t().retry}
      </button>
    </p>
  );
}

export function Problem({ text }: { text: string }) {
  return (
    <p class="problem" role="alert">
      {text}
    </p>
  );
}

import type { Backend, ConfigResponse } from '@chat-realtime/client';
import type { WidgetTheme } from '../api.ts';
import { createLauncher } from '../loader/launcher.ts';
import { resolveSettings } from '../loader/options.ts';
import loaderCss from '../loader/style.css?inline';
import { launcherLabel } from '../loader/texts.ts';
import { applyTheme } from '../loader/theme.ts';
import { mountPanel } from '../panel/main.tsx';
import css from './preview.css?inline';

export interface Preview {
  /** The widget as a visitor with this language would see it under this configuration. */
  show(locale: 'ru' | 'en', config: ConfigResponse): void;
  destroy(): void;
}

const noServer = (): Promise<never> => Promise.reject(new Error('a preview has no server'));

/** The widget itself, only to be looked at: the console shows with it what will be saved. */
export function mountPreview(place: HTMLElement): Preview {
  const root = place.attachShadow({ mode: 'open' });
  const sheets = [loaderCss, css].map((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return sheet;
  });
  const container = document.createElement('div');
  container.className = 'root is-right';
  container.inert = true;
  const launcher = createLauncher(() => undefined);
  container.append(launcher.button);
  root.append(container);
  let shown: ConfigResponse | null = null;
  const backend: Backend = {
    config: () => (shown === null ? noServer() : Promise.resolve(shown)),
    createSession: noServer,
    getToken: noServer,
    session: noServer,
    history: noServer,
    poll: noServer,
    send: noServer,
    markRead: noServer,
    requestCallback: noServer,
    upload: noServer,
    identify: noServer,
    identityLogout: noServer,
  };
  const settingsOf = (locale: 'ru' | 'en') => resolveSettings({ locale, namespace: 'preview' }, location.origin);
  const panel = mountPanel({
    root,
    container,
    settings: settingsOf('ru'),
    backend,
    unread: () => undefined,
    emit: () => undefined,
    open: () => undefined,
    close: () => undefined,
    look: (theme: WidgetTheme) => applyTheme(container, theme),
  });
  // Behind those of the panel: here it stands in the page, not over it.
  root.adoptedStyleSheets = [sheets[0], ...root.adoptedStyleSheets, sheets[1]].filter((sheet) => sheet !== undefined);
  return {
    show(locale, config) {
      shown = config;
      container.lang = locale;
      launcher.update({
        label: launcherLabel(locale, 'closed', ''),
        state: 'closed',
        busy: false,
        unread: '',
        hidden: false,
      });
      panel.update(settingsOf(locale));
      panel.open({ again: true });
    },
    destroy: () => panel.destroy(),
  };
}

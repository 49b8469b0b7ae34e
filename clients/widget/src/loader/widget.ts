import type { ChatWidget, WidgetOptions, WidgetTheme } from '../api.ts';
import { type OpenOptions, type Panel, type PanelModule, PHONE, type Settings } from '../bridge.ts';
import { createEvents } from './events.ts';
import { createHost, type HostPlace } from './host.ts';
import { createLauncher } from './launcher.ts';
import { resolveSettings } from './options.ts';
import css from './style.css?inline';
import { launcherLabel, type State } from './texts.ts';
import { applyTheme } from './theme.ts';

export interface LoaderPlace {
  /** Origin (and prefix) from which the loader was loaded; empty if unknown. */
  readonly base: string;
  readonly loadPanel: (baseUrl: string) => Promise<PanelModule>;
  /**
   * What earlier pages left. `chat`: an earlier visit left one; only then is anything loaded automatically. `open`: the
   * previous page, in the same tab, was left with the panel open.
   */
  readonly left: (what: 'chat' | 'open', namespace: string) => boolean;
}

interface Mounted {
  readonly host: HostPlace;
  readonly container: HTMLElement;
  readonly root: ShadowRoot;
  readonly launcher: ReturnType<typeof createLauncher>;
}

const NO_ADDRESS = 'data-base-url is missing';

/** The launcher and everything the page may call; the chat itself is another bundle, loaded on first use. */
export function createWidget(place: LoaderPlace): ChatWidget {
  const events = createEvents();
  let options: WidgetOptions = {};
  let settings: Settings | null = null;
  let mounted: Mounted | null = null;
  let panel: Promise<Panel> | null = null;
  /** The number of unread messages beside the launcher, and its text for screen readers. */
  let unread = '';
  let unreadWords = '';
  /** The server's look, known once the panel has requested it. */
  let saved: WidgetTheme = {};
  let shown = true;
  let state: State = 'closed';
  let busy = false;
  /** Counts lives: what was started in an earlier one must not affect the next. */
  let life = 0;

  function render(): void {
    if (!mounted || !settings) return;
    const { container, host, launcher } = mounted;
    container.className = `root is-${settings.position}`;
    const { zIndex, offsetX, offsetY, theme } = settings;
    applyTheme(container, { ...saved, ...theme }, `--x:${offsetX}px;--y:${offsetY}px;`);
    host.element.style.cssText = `--z:${zIndex}`;
    container.lang = settings.locale;
    // Both languages use this path, whatever the language of the page.
    container.dir = 'ltr';
    const label = launcherLabel(settings.locale, state, unreadWords);
    launcher.update({ label, state, busy, unread, hidden: !settings.launcher || !shown });
  }

  function mount(): Mounted {
    const host = createHost();
    const root = host.element.attachShadow({ mode: 'open' });
    if ('adoptedStyleSheets' in root) {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
      root.adoptedStyleSheets = [sheet];
    } else {
      // Older than what the panel needs: only the button works here, and it says so.
      const style = document.createElement('style');
      style.textContent = css;
      (root as ShadowRoot).append(style);
    }
    const container = document.createElement('div');
    const launcher = createLauncher(() => void widget.toggle().catch(() => undefined));
    container.append(launcher.button);
    root.append(container);
    return { host, root, container, launcher };
  }

  async function start(): Promise<void> {
    if (document.readyState === 'loading') {
      await new Promise((resolve) => document.addEventListener('DOMContentLoaded', resolve));
    }
    if (mounted || !settings) return;
    mounted = mount();
    render();
    events.emit('ready', {});
    // Not awaited: the panel waits for this start. Errors are reported as an event.
    const { namespace } = settings;
    // On a phone the panel would hide the page that was requested.
    const again = place.left('open', namespace) && !matchMedia(PHONE).matches;
    if (again || place.left('chat', namespace)) void (again ? open({ again }) : getPanel()).catch(() => undefined);
  }

  function getPanel(): Promise<Panel> {
    if (panel) return panel;
    const mine = life;
    busy = true;
    const loading = (async () => {
      await (settings ? started : widget.init());
      render();
      if (!settings?.baseUrl) throw new Error(NO_ADDRESS);
      const module = await place.loadPanel(settings.baseUrl);
      if (mine !== life || !mounted || !settings) throw new Error('destroyed');
      const { root, container } = mounted;
      return module.mountPanel({
        root,
        container,
        settings,
        emit(event, payload) {
          if (mine === life) events.emit(event, payload);
        },
        unread(short, words) {
          if (mine !== life) return;
          unread = short;
          unreadWords = words;
          render();
        },
        open: () => void open(),
        close: () => void widget.close(),
        look(theme) {
          saved = theme;
          render();
        },
      });
    })();
    panel = loading;
    void loading
      .then(
        () => {
          if (state === 'failed') state = 'closed';
        },
        (error: unknown) => {
          panel = null;
          state = 'failed';
          events.emit('error', { code: 'load_failed', message: String(error), retryable: true });
        },
      )
      .finally(() => {
        busy = false;
        render();
      });
    return loading;
  }

  async function open(wanted: OpenOptions = {}): Promise<void> {
    const ready = await getPanel();
    const already = state === 'open';
    state = 'open';
    render();
    ready.open(wanted);
    if (!mounted?.host.settle()) throw new Error('no body');
    if (!already) events.emit('open', {});
  }

  let started: Promise<void> | null = null;

  function change(next: WidgetOptions): void {
    options = { ...options, ...next, theme: { ...options.theme, ...next.theme } };
    settings = resolveSettings(options, place.base);
    render();
    const now = settings;
    if (mounted)
      void panel?.then(
        (ready) => ready.update(now),
        () => undefined,
      );
  }

  /** A call that the panel answers; the panel is loaded for it if necessary. */
  const onPanel =
    <M extends 'identify' | 'logout' | 'send' | 'requestCallback'>(method: M) =>
    async (...args: Parameters<Panel[M]>): Promise<never> =>
      ((await getPanel())[method] as (...all: unknown[]) => Promise<never>)(...args);

  const widget: ChatWidget = {
    async init(next = {}) {
      const first = settings === null;
      change(next);
      if (first) window.chatWidget = widget;
      if (!settings?.baseUrl) {
        // The page may still set it, in this turn of the event loop.
        // oxlint-disable-next-line no-console -- the person who puts the script into a page is the one this is for
        setTimeout(() => settings?.baseUrl === '' && console.error(`[chat-widget] ${NO_ADDRESS}`));
      } else started ??= start();
      await started;
    },
    identify: onPanel('identify'),
    logout: onPanel('logout'),
    open,
    async close() {
      if (state !== 'open') return;
      state = 'closed';
      render();
      (await panel)?.close();
      if (mounted && !mounted.launcher.button.hidden) mounted.launcher.button.focus();
      events.emit('close', {});
    },
    toggle: () => (state === 'open' ? widget.close() : widget.open()),
    async show() {
      shown = true;
      render();
    },
    async hide() {
      shown = false;
      render();
    },
    send: onPanel('send'),
    requestCallback: onPanel('requestCallback'),
    async mount(into) {
      await getPanel();
      mounted?.host.move(into);
    },
    async setLocale(locale) {
      change({ locale });
    },
    async setTheme(theme) {
      change({ theme });
    },
    on: events.on,
    once: events.once,
    off: events.off,
    async destroy() {
      life += 1;
      const ending = panel;
      panel = null;
      mounted?.host.remove();
      mounted = null;
      settings = null;
      options = {};
      unread = unreadWords = '';
      started = null;
      shown = true;
      state = 'closed';
      events.clear();
      if (window.chatWidget === widget) delete window.chatWidget;
      await ending?.then(
        (ready) => ready.destroy(),
        () => undefined,
      );
    },
  };
  return widget;
}

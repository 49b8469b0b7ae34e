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
  /** Origin (and prefix) the loader came from; empty where nothing tells. */
  readonly base: string;
  readonly loadPanel: (baseUrl: string) => Promise<PanelModule>;
  /**
   * What was left here. `chat`: by an earlier visit; only then is anything loaded without being asked. `open`: the page
   * before this one, in the same tab, was left with the panel open.
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
  /** Of what is unread: the number beside the launcher, and that in words. */
  let unread = '';
  let unreadWords = '';
  /** The look the server has, known once the panel has asked for it. */
  let saved: WidgetTheme = {};
  let shown = true;
  let state: State = 'closed';
  let busy = false;
  /** Counts lives: what was begun in an earlier one must not reach into the next. */
  let life = 0;

  function render(): void {
    if (!mounted || !settings) return;
    const { container, host, launcher } = mounted;
    container.className = `root is-${settings.position}`;
    const { zIndex, offsetX, offsetY, theme } = settings;
    applyTheme(container, { ...saved, ...theme }, `--x:${offsetX}px;--y:${offsetY}px;`);
    host.element.style.cssText = `--z:${zIndex}`;
    container.lang = settings.locale;
    // Both languages go this way, whichever way the page goes.
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
      // Older than what the panel needs: the button alone works here, and says so.
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
    // Not awaited: the panel waits for this start. What goes wrong is told as an event.
    const { namespace } = settings;
    // On a phone the panel would hide the page that was asked for.
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
        () => (state = state === 'failed' ? 'closed' : state),
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

  /** A call that the panel answers, loaded for it where it is not yet. */
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
        // The page may still say it, in this turn.
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

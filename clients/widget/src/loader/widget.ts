import type { ChatWidget, WidgetOptions, WidgetTheme } from '../api.ts';
import { type OpenOptions, type Panel, type PanelModule, PHONE, type Settings } from '../bridge.ts';
import { createEvents } from './events.ts';
import { createLauncher, type State } from './launcher.ts';
import { resolveSettings } from './options.ts';
import css from './style.css?inline';
import { launcherLabel } from './texts.ts';
import { applyTheme } from './theme.ts';

export interface LoaderPlace {
  /** Origin (and prefix) the loader came from. */
  readonly base: string;
  readonly loadPanel: () => Promise<PanelModule>;
  /** Tells whether an earlier visit left a chat; only then is anything loaded without being asked. */
  readonly hasStoredChat: (namespace: string) => boolean;
  /** The page before this one, in the same tab, was left with the panel open. */
  readonly wasOpen: (namespace: string) => boolean;
  readonly removeGlobal: () => void;
  readonly restoreGlobal: (widget: ChatWidget) => void;
}

interface Mounted {
  readonly host: HTMLElement;
  readonly container: HTMLElement;
  readonly root: ShadowRoot;
  readonly launcher: ReturnType<typeof createLauncher>;
}

/** The launcher and everything the page may call; the chat itself is another bundle, loaded on first use. */
export function createWidget(place: LoaderPlace): ChatWidget {
  const events = createEvents();
  let options: WidgetOptions = {};
  let settings: Settings | null = null;
  let mounted: Mounted | null = null;
  let panel: Promise<Panel> | null = null;
  let unread = 0;
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
    applyTheme(container, { ...saved, ...settings.theme });
    host.style.setProperty('--z', String(settings.zIndex));
    container.style.setProperty('--x', `${settings.offsetX}px`);
    container.style.setProperty('--y', `${settings.offsetY}px`);
    container.lang = settings.locale;
    // Both languages go this way, whichever way the page goes.
    container.dir = 'ltr';
    const label = launcherLabel(settings.locale, state, unread);
    launcher.update({ label, state, busy, unread, hidden: !settings.launcher || !shown });
  }

  function mount(): Mounted {
    const host = document.createElement('chat-widget');
    const root = host.attachShadow({ mode: 'open', delegatesFocus: false });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    const container = document.createElement('div');
    const launcher = createLauncher(() => void widget.toggle().catch(() => undefined));
    container.append(launcher.button);
    root.append(container);
    document.body.append(host);
    return { host, root, container, launcher };
  }

  async function start(): Promise<void> {
    if (document.readyState === 'loading') {
      await new Promise((resolve) => document.addEventListener('DOMContentLoaded', resolve, { once: true }));
    }
    if (mounted || !settings) return;
    mounted = mount();
    render();
    events.emit('ready', {});
    // Not awaited: the panel waits for this start. What goes wrong is told as an event.
    const { namespace } = settings;
    // On a phone the panel would hide the page that was asked for.
    const again = place.wasOpen(namespace) && !matchMedia(PHONE).matches;
    if (again || place.hasStoredChat(namespace)) void (again ? open({ again }) : getPanel()).catch(() => undefined);
  }

  function getPanel(): Promise<Panel> {
    if (panel) return panel;
    const mine = life;
    busy = true;
    const loading = (async () => {
      await (settings ? started : widget.init());
      render();
      const module = await place.loadPanel();
      if (mine !== life || !mounted || !settings) throw new Error('the chat was destroyed');
      const { root, container } = mounted;
      return module.mountPanel({
        root,
        container,
        settings,
        emit(event, payload) {
          if (mine !== life) return;
          if (event === 'unread') {
            unread = (payload as { count: number }).count;
            render();
          }
          events.emit(event, payload);
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
    if (!already) events.emit('open', {});
  }

  let started: Promise<void> = Promise.resolve();

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

  const widget: ChatWidget = {
    init(next = {}) {
      const first = settings === null;
      change(next);
      if (first) {
        place.restoreGlobal(widget);
        started = start();
      }
      return started;
    },
    async identify(identity) {
      return (await getPanel()).identify(identity);
    },
    async logout() {
      await (await getPanel()).logout();
    },
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
    async send(text) {
      return (await getPanel()).send(text);
    },
    async requestCallback(request) {
      return (await getPanel()).requestCallback(request);
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
      unread = 0;
      shown = true;
      state = 'closed';
      events.clear();
      place.removeGlobal();
      await ending?.then(
        (ready) => ready.destroy(),
        () => undefined,
      );
    },
  };
  return widget;
}

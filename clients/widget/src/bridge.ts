import type { WidgetCallback, WidgetEvents, WidgetIdentity, WidgetOptions, WidgetTheme } from './api.ts';

/** Options with every default filled in. */
export type Settings = Required<Omit<WidgetOptions, 'theme' | 'locale'>> & {
  readonly locale: 'ru' | 'en';
  readonly theme: WidgetTheme;
};

/** What the loader gives the panel. They are two bundles, and this is all they know of each other. */
export interface PanelHost {
  readonly root: ShadowRoot;
  /** Themed container inside the root. */
  readonly container: HTMLElement;
  readonly settings: Settings;
  emit<K extends keyof WidgetEvents>(event: K, payload: WidgetEvents[K]): void;
  readonly close: () => void;
  /** The look that staff saved on the server; the page's own goes before it. */
  look(theme: WidgetTheme): void;
}

export interface Panel {
  open(options: { draft?: string; view?: 'chat' | 'callback' }): void;
  close(): void;
  identify(identity: WidgetIdentity): Promise<{ sessionId: number | null }>;
  logout(): Promise<void>;
  send(text: string): Promise<{ messageId: number }>;
  requestCallback(request: WidgetCallback): Promise<{ id: number }>;
  update(settings: Settings): void;
  destroy(): void;
}

export interface PanelModule {
  mountPanel(host: PanelHost): Panel;
}

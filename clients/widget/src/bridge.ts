import type { Backend, SiteChat } from '@chat-realtime/client';
import type { WidgetCallback, WidgetEvents, WidgetIdentity, WidgetOptions, WidgetTheme } from './api.ts';

/** Options with every default filled in. */
export type Settings = Required<Omit<WidgetOptions, 'theme' | 'locale' | 'signedIn' | 'realtime' | 'site'>> & {
  readonly signedIn?: boolean;
  /** Where a script said it; the attribute is read by the panel, since the loader has no need of it. */
  readonly realtime?: 'auto' | 'off';
  /** As above. */
  readonly site?: SiteChat;
  readonly locale: 'ru' | 'en';
  readonly theme: WidgetTheme;
};

/** Where the panel fills the screen. */
export const PHONE = '(max-width: 480px)';

/** The loader's interface for the panel. They are two bundles, and this is all they know of each other. */
export interface PanelHost {
  readonly root: ShadowRoot;
  /** Themed container inside the root. */
  readonly container: HTMLElement;
  readonly settings: Settings;
  /** What is unread, beside the launcher and in words; empty for nothing. */
  unread(short: string, words: string): void;
  emit<K extends keyof WidgetEvents>(event: K, payload: WidgetEvents[K]): void;
  readonly open: () => void;
  readonly close: () => void;
  /** The look that staff saved on the server; the page's own goes before it. */
  look(theme: WidgetTheme): void;
  /** Replaces the server if a panel is only a preview. */
  readonly backend?: Backend;
}

export interface OpenOptions {
  draft?: string;
  view?: 'chat' | 'callback';
  /** It was open before this page: nothing moves, and the focus stays where it is. */
  again?: boolean;
}

export interface Panel {
  open(options: OpenOptions): void;
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

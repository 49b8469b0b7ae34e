import type { SiteChat } from '@chat-realtime/client';

/** What a page sets. Everything has a default; the attribute `data-<name>` of the loader's script tag sets the same. */
export interface WidgetOptions {
  /** Address of the chat; default: where the loader came from. */
  baseUrl?: string;
  /** `auto` takes the page's `lang`, then the browser's. */
  locale?: 'auto' | 'ru' | 'en';
  position?: 'right' | 'left';
  /** Distance from the edges in CSS pixels. */
  offsetX?: number;
  offsetY?: number;
  zIndex?: number;
  /** False: no button; the page calls `open()` itself. */
  launcher?: boolean;
  sound?: boolean;
  /** Puts the number of unread messages before the page's title. */
  titleCount?: boolean;
  /**
   * Whether the site has signed the visitor in. True: the page calls `identify`, and until then nothing of a customer's
   * chat shows. False: a customer's chat that was left here is forgotten. Not said: it is hidden until `identify`.
   */
  signedIn?: boolean;
  /** `off`: no channel is opened, the widget polls. `auto`: as the server lets it. */
  realtime?: 'auto' | 'off';
  /** The site keeps its own chat: history and new messages use its REST, and the channel delivers what is new. */
  site?: SiteChat;
  /** Keeps two chats on one origin apart. */
  namespace?: string;
  /** Sent along when a chat begins. */
  attributes?: Record<string, string | number | boolean | null>;
  theme?: WidgetTheme;
}

export interface WidgetTheme {
  scheme?: 'auto' | 'light' | 'dark';
  /** `#rrggbb`; text on it becomes black or white, whichever reads better. */
  accent?: string;
  /** Heading of the panel. */
  title?: string;
}

export interface WidgetIdentity {
  /** Answers an identity token made by the site's server; asked again whenever a new one is needed. */
  getToken(): Promise<string>;
}

export interface WidgetCallback {
  phone: string;
  name?: string;
  /** ISO 8601 with offset. */
  preferredAt?: string;
  comment?: string;
  /** Version of the text the visitor agreed to, or true. */
  consent: true | { version: string };
}

export interface WidgetEvents {
  ready: Record<string, never>;
  open: Record<string, never>;
  close: Record<string, never>;
  /** Sent to a new listener at once. */
  unread: { count: number };
  message: { id: number; direction: 'in' | 'out' };
  session: { id: number | null };
  /** Sent to a new listener at once, if known. */
  availability: { online: boolean; reopensAt: string | null };
  connection: { status: 'idle' | 'connecting' | 'online' | 'waiting' | 'stopped' };
  callback: { id: number };
  error: { code: string; message: string; retryable: boolean };
}
export type WidgetListener<K extends keyof WidgetEvents> = (payload: WidgetEvents[K]) => void;

/** Every method may be called before the loader has come: it is queued, and its promise settles later. */
export interface ChatWidget {
  /** Same options again: nothing happens. Others: they are taken over. */
  init(options?: WidgetOptions): Promise<void>;
  /** Signs the visitor in; their chats follow them to every device. */
  identify(identity: WidgetIdentity): Promise<{ sessionId: number | null }>;
  /** Signs the visitor out and removes the chat from this device. */
  logout(): Promise<void>;
  open(options?: { draft?: string; view?: 'chat' | 'callback' }): Promise<void>;
  close(): Promise<void>;
  toggle(): Promise<void>;
  /** Of the launcher. */
  show(): Promise<void>;
  hide(): Promise<void>;
  /** Begins a chat when there is none. Settles when the message is stored. */
  send(text: string): Promise<{ messageId: number }>;
  requestCallback(request: WidgetCallback): Promise<{ id: number }>;
  /**
   * Moves the widget into an element, such as a native dialog that makes the rest of the page inert; null: back to the
   * page.
   */
  mount(into: Element | null): Promise<void>;
  setLocale(locale: 'auto' | 'ru' | 'en'): Promise<void>;
  setTheme(theme: WidgetTheme): Promise<void>;
  on<K extends keyof WidgetEvents>(event: K, listener: WidgetListener<K>): () => void;
  once<K extends keyof WidgetEvents>(event: K, listener: WidgetListener<K>): () => void;
  off<K extends keyof WidgetEvents>(event: K, listener: WidgetListener<K>): void;
  /** Removes element, listeners, connection and the global; `init` may start again. */
  destroy(): Promise<void>;
}

declare global {
  interface Window {
    chatWidget?: ChatWidget;
  }
}

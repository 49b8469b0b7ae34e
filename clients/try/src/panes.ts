import { createStaffAuth, type StaffAuth } from '@chat-realtime/client/staff';
import type { ChatWidget } from '@chat-realtime/widget';
import type { CustomerFrame } from './customer/api.ts';
import { Eye } from './eye.ts';
import { rest, signInFetch, tellBegun } from './instruments.ts';
import { type Language, WORDS } from './texts.ts';

const OPERATOR = 'anna';
const LAST_SESSION = 'chat-try:last-session';
const CONSOLE_SETTINGS = 'chat-console:settings';
const NAMESPACE = 'try-';
const STORED = `chat-realtime:${NAMESPACE}`;

function loaded(frame: HTMLIFrameElement, address: string): Promise<Window> {
  return new Promise((resolve, reject) => {
    frame.addEventListener(
      'load',
      () => {
        if (frame.contentWindow === null) reject(new Error('the frame is gone'));
        else resolve(frame.contentWindow);
      },
      { once: true },
    );
    frame.src = address;
  });
}

/** The real widget on a page of its own. */
export class CustomerPane {
  readonly frame: CustomerFrame;
  readonly widget: ChatWidget;
  readonly sessionId: number;
  readonly eye: Eye;

  private constructor(target: Window, frame: CustomerFrame, widget: ChatWidget, sessionId: number) {
    this.frame = frame;
    this.widget = widget;
    this.sessionId = sessionId;
    this.eye = new Eye({
      root: () => target.document.querySelector('chat-widget')?.shadowRoot ?? null,
      own: 'mine',
    });
  }

  /** Starts a new chat, so that the count begins at zero. */
  static async open(element: HTMLIFrameElement, language: Language): Promise<CustomerPane> {
    for (const key of Object.keys(localStorage)) if (key.startsWith(STORED)) localStorage.removeItem(key);
    const namespace = NAMESPACE + Math.random().toString(36).slice(2, 10);
    const target = await loaded(element, `/try/customer/?lang=${language}&namespace=${namespace}`);
    const frame = target.customerFrame;
    if (frame === undefined) throw new Error('the customer’s page did not start');
    const widget = await frame.widget;
    await widget.open();
    const begun = new Promise<number>((resolve) => {
      widget.on('session', ({ id }) => id !== null && resolve(id));
    });
    await widget.send(WORDS[language].greeting);
    const sessionId = await begun;
    await tellBegun(sessionId);
    return new CustomerPane(target, frame, widget, sessionId);
  }

  setLanguage(language: Language): void {
    this.frame.setLanguage(language);
    void this.widget.setLocale(language);
  }
}

/** The real console, signed in without a password. */
export class OperatorPane {
  readonly auth: StaffAuth = createStaffAuth({ environment: { fetch: signInFetch } });
  readonly eye: Eye;
  readonly #element: HTMLIFrameElement;
  #sessionId = 0;

  constructor(element: HTMLIFrameElement) {
    this.#element = element;
    this.eye = new Eye({
      root: () => {
        const { contentWindow, contentDocument } = element;
        return contentWindow?.location.hash.endsWith(`/${this.#sessionId}`) === true ? contentDocument : null;
      },
      own: 'ours',
    });
  }

  /** An operator who is already signed in here stays signed in. */
  async signIn(): Promise<string> {
    try {
      return (await rest<{ name: string }>('GET', '/auth/me', await this.token())).name;
    } catch {
      // Nobody, or somebody of another database.
      return (await this.auth.login(OPERATOR, '')).name;
    }
  }

  async token(): Promise<string> {
    return (await this.auth.getToken({ force: false })).token;
  }

  async open(sessionId: number, language: Language): Promise<void> {
    this.#sessionId = sessionId;
    await this.#closeLast(sessionId);
    setConsoleLanguage(language);
    await loaded(this.#element, `/operator/#/inbox/all/${sessionId}`);
  }

  /** It reads its language when it begins. */
  async setLanguage(language: Language): Promise<void> {
    setConsoleLanguage(language);
    const { contentWindow } = this.#element;
    if (contentWindow === null) return;
    const reloaded = new Promise((resolve) => this.#element.addEventListener('load', resolve, { once: true }));
    contentWindow.location.reload();
    await reloaded;
  }

  /** The chat of the visit before is over; the inbox stays tidy. */
  async #closeLast(sessionId: number): Promise<void> {
    const last = localStorage.getItem(LAST_SESSION);
    localStorage.setItem(LAST_SESSION, String(sessionId));
    if (last === null) return;
    // Closed by hand, or of a database that is gone: then there is nothing to close.
    await rest('POST', `/chat/session/${last}/close`, await this.token()).catch(() => undefined);
  }
}

function setConsoleLanguage(locale: Language): void {
  let settings: object = {};
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(CONSOLE_SETTINGS) ?? '{}');
    if (typeof stored === 'object' && stored !== null) settings = stored;
  } catch {
    // Unreadable settings are none for the console as well.
  }
  localStorage.setItem(CONSOLE_SETTINGS, JSON.stringify({ ...settings, locale }));
}

import {
  type ChatClient,
  ChatClientError,
  type ConfigResponse,
  createChatClient,
  type Prechat,
} from '@chat-realtime/client';
import type { WidgetTheme } from '../api.ts';
import { type PanelHost, PHONE, type Settings } from '../bridge.ts';
import { type Cell, createCell } from './cell.ts';
import { createOriginAdviser } from './refused-origin.ts';
import { createPictures } from './pictures.ts';
import { createPush, type PushModel, pushWorkerOf } from './push.ts';
import { followReturnLink, type Said, takeReturnCode } from './return-link.ts';
import { readMuted, ringOnce, storeMuted } from './sound.ts';
import { answersFor } from './prechat.ts';
import { formatSize, typeName, unreadWords } from './texts/format.ts';
import { createTabMemory } from './tab-memory.ts';
import { type Texts, textsFor } from './texts/index.ts';
import { wantsChannel } from './realtime.ts';
import { backendOf, type Calls, callsOf, siteOf } from './site.ts';
import { countInTitle } from './title.ts';
import { createUploads, type UploadRefusal, type Uploads } from './uploads.ts';
import { createWriting, type Writing } from './writing.ts';

/** Everything the components share. */
export interface PanelModel extends Omit<Writing, 'clear'> {
  readonly host: PanelHost;
  readonly client: ChatClient;
  readonly settings: Cell<Settings>;
  readonly config: Cell<ConfigResponse | null>;
  readonly texts: Cell<Texts>;
  readonly open: Cell<boolean>;
  /** Opened because the panel was open on the previous page. */
  readonly again: Cell<boolean>;
  readonly muted: Cell<boolean>;
  readonly uploads: Uploads;
  /** Pictures of operators, by id. */
  readonly pictures: Cell<Readonly<Record<string, string>>>;
  readonly push: PushModel;
  readonly calls: Calls;
  /** False beside a site's own chat, which keeps its customers' texts itself. */
  readonly canKeep: boolean;
  /** The text of the one live region. */
  readonly announcement: Cell<string>;
  /** A line above the composer; it disappears with the next successful action. */
  readonly notice: Cell<string | null>;
  /** Full screen: the panel is all there is. */
  readonly phone: Cell<boolean>;
  readonly toggleMuted: () => void;
  loadConfig(): Promise<void>;
  readonly failed: (error: unknown) => void;
  logout(): Promise<void>;
  destroy(): void;
}

/** Answers that show the page that the rules for files have changed. */
const POLICY: ReadonlySet<string> = new Set(['attachments_off', 'unsupported_media_type', 'payload_too_large']);
const CONFIG_EVERY_MS = 60_000;
/** Without it nobody can start a chat. */
const CONFIG_AGAIN_MS = 5_000;

/** The page's address without its possibly private parts. */
function pageUrl(): string | null {
  return /^https?:/.test(location.protocol) ? location.origin + location.pathname : null;
}

/** The parts of the server's look that do not come with the texts. */
function lookOf({ accent, scheme }: ConfigResponse['theme']): WidgetTheme {
  return {
    ...(accent && { accent }),
    ...((scheme === 'light' || scheme === 'dark') && { scheme }),
  };
}

export function createModel(host: PanelHost): PanelModel {
  const settings = createCell(host.settings);
  const config = createCell<ConfigResponse | null>(null);
  const texts = createCell(textsFor(host.settings.locale, null, host.settings.theme.title));
  const open = createCell(false);
  const muted = createCell(readMuted());
  const announcement = createCell('');
  const notice = createCell<string | null>(null);
  const adviseOrigin = createOriginAdviser(host.settings.baseUrl);
  const narrow = matchMedia(PHONE);
  const phone = createCell(narrow.matches);
  const ending = new AbortController();

  function prechatRequest(): Prechat {
    const { name, email, phone: number, answers: given, consent } = writing.prechat.getState();
    const answers = answersFor(given, config.getState());
    const { locale, attributes } = settings.getState();
    const version = config.getState()?.consent.version;
    return {
      locale,
      page_url: pageUrl(),
      ...(name.trim() && { name: name.trim() }),
      ...(email.trim() && { email: email.trim() }),
      ...(number.trim() && { phone: number.trim() }),
      ...(Object.keys(attributes).length > 0 && { attributes }),
      ...(Object.keys(answers).length > 0 && { answers }),
      ...(consent && version !== undefined && { consent: { version, accepted: true } }),
    };
  }

  const own = host.backend ? undefined : backendOf(host.settings);
  const client = createChatClient({
    baseUrl: host.settings.baseUrl,
    namespace: host.settings.namespace,
    signedIn: host.settings.signedIn,
    prechat: prechatRequest,
    ...(wantsChannel(host.settings) ? {} : { transports: ['rest'] as const }),
    ...(own && { backend: own }),
    ...(host.backend && { backend: host.backend, tabs: false, autoConnect: false }),
  });
  const memory = createTabMemory(host.settings.namespace);
  // A customer's draft must not be shown to the next customer.
  if (host.settings.signedIn === false && memory.read()?.customer) memory.forget();
  const writing = createWriting(memory, client, config);
  open.subscribe(() => memory.keepOpen(open.getState()));
  const calls = callsOf(host.backend ? null : siteOf(host.settings));
  /** The previous page may have offered what this one does not, and so may a button of the site. */
  const onlyOffered = (): void => {
    if (!calls.offered && writing.view.getState() === 'callback') writing.view.set('chat');
  };
  writing.view.subscribe(onlyOffered);
  onlyOffered();

  function failed(error: unknown): void {
    const known = error instanceof Error ? error : new Error(String(error));
    const code = 'code' in known && typeof known.code === 'string' ? known.code : 'internal_error';
    const retryable = 'retryable' in known && known.retryable === true;
    host.emit('error', { code, message: known.message, retryable });
    void adviseOrigin(error);
  }

  const refusedFile = (code: string): string | undefined => {
    const words = texts.getState();
    const limit = config.getState()?.attachments.max_bytes;
    if (code === 'attachments_off') return words.tooMany(0);
    if (code === 'unsupported_media_type') return words.badFile(allowedTypes());
    if (code !== 'payload_too_large' || limit === undefined) return undefined;
    return words.tooLargeFile(formatSize(limit, settings.getState().locale, words));
  };
  const allowedTypes = (): string => (config.getState()?.attachments.mime ?? []).map(typeName).join(', ');

  function refuse(refusal: UploadRefusal): void {
    const words = texts.getState();
    const { locale } = settings.getState();
    const say = (): string => {
      switch (refusal.why) {
        case 'too_large':
          return words.tooLarge(refusal.name, formatSize(refusal.limit, locale, words));
        case 'too_many':
          return words.tooMany(refusal.count);
        case 'bad_type':
          return words.badType(refusal.name, allowedTypes());
      }
    };
    notice.set(say());
    announcement.set(say());
  }
  const uploads = createUploads({
    client,
    limits: () => config.getState()?.attachments ?? null,
    prepare: async () => client.getState().session ?? client.start(prechatRequest()),
    refused: refuse,
    explain(error) {
      const words = texts.getState();
      const known = error instanceof ChatClientError;
      const again = !known || error.retryable;
      const code = known ? error.code : '';
      failed(error);
      const said = refusedFile(code) ?? (again ? words.uploadFailed : words.uploadRefused);
      // The rules for files have changed since this page loaded them.
      if (POLICY.has(code)) void loadConfig();
      announcement.set(said);
      return { error: said, again };
    },
    settled: () => notice.set(null),
  });

  const republish = (): void => {
    const { locale, theme } = settings.getState();
    texts.set(textsFor(locale, config.getState(), theme.title));
  };
  settings.subscribe(republish);
  config.subscribe(republish);

  let retry: ReturnType<typeof setTimeout> | undefined;
  async function loadConfig(): Promise<void> {
    try {
      const next = await client.config();
      if (ending.signal.aborted) return;
      config.set(next);
      host.look(lookOf(next.theme));
      host.emit('availability', { online: next.online, reopensAt: next.reopens_at ?? null });
    } catch (error) {
      if (ending.signal.aborted) return;
      failed(error);
      if (config.getState() !== null || !open.getState()) return;
      clearTimeout(retry);
      retry = setTimeout(() => void loadConfig(), CONFIG_AGAIN_MS);
    }
  }
  const timer = setInterval(() => {
    if (open.getState() && document.visibilityState === 'visible') void loadConfig();
  }, CONFIG_EVERY_MS);

  const tellUnread = (count: number): void => {
    const short = count === 0 ? '' : count > 99 ? '99+' : String(count);
    host.unread(short, unreadWords(count, settings.getState().locale));
    host.emit('unread', { count });
  };
  let published = { unread: -1, status: '', session: -1 as number | null };
  let reported = '';
  const publish = (): void => {
    const { unread, connection, session } = client.getState();
    const now = { unread, status: connection.status, session: session?.id ?? null };
    const before = published;
    published = now;
    if (now.unread !== before.unread) tellUnread(now.unread);
    if (settings.getState().titleCount) countInTitle(now.unread);
    if (now.status !== before.status) host.emit('connection', { status: connection.status });
    // A chat that starts here reports its page itself.
    const began = before.session === null && now.session !== null;
    const page = pageUrl();
    const where = `${now.session} ${page}`;
    if (now.session !== null && page !== null && where !== reported) {
      reported = where;
      // For the operator only: the next page is reported again.
      if (!began) client.reportPage(page).catch(() => undefined);
    }
    if (now.session !== before.session && (before.session !== -1 || now.session !== null)) {
      host.emit('session', { id: now.session });
    }
  };
  client.subscribe(publish);
  client.on('error', failed);
  client.on('message', (message) => {
    const words = texts.getState();
    const what = message.body || message.attachments.map((attachment) => attachment.name).join(', ');
    announcement.set(`${message.sender_name ?? words.operator}: ${what}`);
    if (message.id !== null) host.emit('message', { id: message.id, direction: 'in' });
    const watching = open.getState() && document.hasFocus();
    if (settings.getState().sound && !muted.getState() && !watching) {
      // A device without sound is not an error of the chat.
      ringOnce(settings.getState().namespace).catch(() => undefined);
    }
  });
  // A site that keeps its own chat sends its customers' notifications and mails itself.
  const push = createPush(client, host.settings, host.backend || own ? null : pushWorkerOf(host.settings));
  push.listen(host.open, ending.signal);
  const code = host.backend || own ? null : takeReturnCode();
  if (code !== null) {
    void client.ready.then(host.open);
    const say = (text: Said | null): void => {
      notice.set(text && texts.getState()[text]);
      if (text) announcement.set(texts.getState()[text]);
    };
    void followReturnLink(code, { client, signal: ending.signal, say, failed });
  }
  narrow.addEventListener('change', () => phone.set(narrow.matches), { signal: ending.signal });

  return {
    host,
    client,
    settings,
    config,
    texts,
    open,
    again: createCell(false),
    ...writing,
    muted,
    uploads,
    pictures: host.backend ? createCell({}) : createPictures(host.settings.baseUrl, client),
    push,
    calls,
    canKeep: !host.backend && !own,
    announcement,
    notice,
    phone,
    toggleMuted() {
      muted.set(!muted.getState());
      storeMuted(muted.getState());
    },
    loadConfig,
    failed,
    async logout() {
      writing.clear();
      await push.end();
      await client.logout();
    },
    destroy() {
      ending.abort();
      clearInterval(timer);
      clearTimeout(retry);
      memory.keepOpen(false);
      if (settings.getState().titleCount) countInTitle(0);
      uploads.destroy();
      client.destroy();
    },
  };
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiError } from './api-error.ts';
import { type ApiClock, realClock } from './clock.ts';
import { FaultPlan } from './faults.ts';
import { FakeForums } from './forums.ts';
import { refuseBadPhoto, refuseMixedAlbum } from './media.ts';
import { BOT, FakePerson, type PersonOptions, type ShownMessage } from './person.ts';
import { type ApiCall, type ApiFile, readCall } from './requests.ts';
import { FakeUpdates, type Webhook } from './updates.ts';

export type { ApiFault } from './faults.ts';

const TEXT_MAX = 4_096;
const CAPTION_MAX = 1_024;

interface Waiter {
  readonly offset: number;
  readonly finish: (answer: { ok: true; result: unknown } | ApiError) => void;
}

/**
 * Telegram's Bot API as a bot sees it: updates that are redelivered until they are confirmed, one poller at a time, a
 * webhook, limits on texts and captions, people who block the bot, groups that move, files, and calls that fail on
 * request.
 */
export class FakeBotApi {
  readonly token = '7000000001:fake-token-of-a-bot-for-tests-0001';
  readonly username = 'shop_test_bot';
  readonly faults = new FaultPlan();
  /** Groups with topics. */
  readonly forums: FakeForums;
  readonly calls: string[] = [];
  /** Everything the bot has sent, in the order in which Telegram accepted it. */
  readonly sent: ShownMessage[] = [];
  readonly toasts: { readonly id: string; readonly text: string }[] = [];
  readonly #server: Server;
  readonly #clock: ApiClock;
  readonly #files = new Map<string, ApiFile>();
  readonly #paths = new Map<string, string>();
  readonly #blocked = new Set<number>();
  readonly #noVoice = new Set<number>();
  readonly #moved = new Map<number, number>();
  readonly #updates: FakeUpdates;
  #waiter: Waiter | null = null;
  /** By chat and language. */
  readonly menus = new Map<string, readonly string[]>();
  /** How many simultaneous deliveries the bot has requested. */
  webhookConnections = 0;
  #nextMessage = 1;
  #nextFile = 1;
  #spacing = 0;
  readonly #lastSend = new Map<number, number>();

  private constructor(server: Server, clock: ApiClock) {
    this.#server = server;
    this.#clock = clock;
    this.#updates = new FakeUpdates(clock);
    this.forums = new FakeForums(clock);
  }

  /** `clock`: the time it uses, for tests that must not wait for real time. */
  static async start(port = 0, clock: ApiClock = realClock): Promise<FakeBotApi> {
    const server = createServer();
    const api = new FakeBotApi(server, clock);
    server.on('request', (request, response) => void api.#serve(request, response));
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return api;
  }

  get url(): string {
    const address = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${address.port}`;
  }

  get webhook(): Webhook | null {
    return this.#updates.webhook;
  }

  /** Updates that are not confirmed yet. */
  get pending(): number {
    return this.#updates.pending;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** A chat accepts one message in this many milliseconds, and answers 429 to more. */
  limitChats(spacingMs: number): void {
    this.#spacing = spacingMs;
  }

  migrate(from: number, to: number): void {
    this.#moved.set(from, to);
  }

  /** What somebody sees in their chat with the bot. */
  shownTo(chatId: number): ShownMessage[] {
    return this.sent.filter((message) => message.chat_id === chatId);
  }

  person({ id, name = 'Ольга', language = 'ru' }: PersonOptions): FakePerson {
    return new FakePerson(this, id, name, language);
  }

  setBlocked(chatId: number, blocked: boolean): void {
    if (blocked) this.#blocked.add(chatId);
    else this.#blocked.delete(chatId);
  }

  /** As a person's privacy settings may have it. */
  forbidVoice(chatId: number): void {
    this.#noVoice.add(chatId);
  }

  /** Seconds, as in Telegram's dates. */
  date(): number {
    return Math.floor(this.#clock.date() / 1_000);
  }

  newMessageId(): number {
    const id = this.#nextMessage;
    this.#nextMessage += 1;
    return id;
  }

  keepFile(file: ApiFile): string {
    const id = `file-${this.#nextFile}`;
    this.#nextFile += 1;
    this.#files.set(id, file);
    return id;
  }

  /** Its bytes are gone: `getFile` still answers, but its address no longer works. */
  loseFile(id: string): void {
    this.#files.set(id, { name: 'gone', bytes: new Uint8Array(0) });
    this.#paths.set(id, 'files/gone');
  }

  /** The path as a server with `--local` returns it. */
  localPath(id: string, path: string): void {
    this.#paths.set(id, path);
  }

  /** Telegram repeats an update that it has delivered before, confirmed or not. */
  redeliver(id: number): void {
    this.#updates.redeliver(id);
    this.#tell();
  }

  /** As after a week without updates: the next ones are numbered from any start. */
  renumber(next: number): void {
    this.#updates.renumber(next);
  }

  /** How often an update was delivered. */
  timesGiven(id: number): number {
    return this.#updates.timesGiven(id);
  }

  push(update: Record<string, unknown>): number {
    const id = this.#updates.add(update);
    this.#tell();
    return id;
  }

  #tell(): void {
    if (this.webhook === null) this.#wakePoller();
    else void this.#updates.deliver();
  }

  #wakePoller(): void {
    const waiter = this.#waiter;
    if (waiter === null) return;
    const due = this.#updates.takeFrom(waiter.offset);
    if (due.length === 0) return;
    this.#waiter = null;
    waiter.finish({ ok: true, result: due });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    const file = path.startsWith(`/file/bot${this.token}/`) ? path.split('/').at(-1) : undefined;
    if (file !== undefined) {
      const found = this.#files.get(file);
      response.statusCode = found === undefined ? 404 : 200;
      response.end(found?.bytes);
      return;
    }
    const [, token, method = ''] = /^\/bot([^/]+)\/(\w+)/.exec(path) ?? [];
    const call = await readCall(request, method).catch(() => null);
    if (call === null) {
      response.destroy();
      return;
    }
    this.calls.push(method);
    const answer = (body: { ok: true; result: unknown } | ApiError): void => {
      response.setHeader('content-type', 'application/json');
      if (body instanceof ApiError) {
        response.statusCode = body.code;
        const parameters = body.parameters === undefined ? {} : { parameters: body.parameters };
        response.end(JSON.stringify({ ok: false, error_code: body.code, description: body.message, ...parameters }));
      } else response.end(JSON.stringify(body));
    };
    if (token !== this.token) {
      answer(new ApiError(401, 'Unauthorized'));
      return;
    }
    const fault = this.faults.take(method);
    if (fault?.kind === 'silent' && !fault.done) return;
    if (fault?.kind === 'dropped' || (fault?.kind === 'lost' && method === 'getUpdates')) {
      response.destroy();
      return;
    }
    if (fault?.kind === 'error') {
      answer(new ApiError(fault.code, fault.description ?? 'fault of the test', fault.parameters));
      return;
    }
    if (method === 'getUpdates') {
      if (fault !== undefined) return;
      this.#poll(call, response, answer);
      return;
    }
    let body: { ok: true; result: unknown } | ApiError;
    try {
      body = { ok: true, result: this.#do(call) };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      body = error;
    }
    if (fault?.kind === 'lost') response.destroy();
    else if (fault?.kind === 'late') this.#clock.later(() => answer(body), fault.ms);
    else if (fault?.kind !== 'silent') answer(body);
  }

  #poll(call: ApiCall, answerOf: ServerResponse, answer: Waiter['finish']): void {
    if (this.webhook !== null) {
      answer(new ApiError(409, "Conflict: can't use getUpdates method while webhook is active"));
      return;
    }
    this.#waiter?.finish(new ApiError(409, 'Conflict: terminated by other getUpdates request'));
    const offset = Number(call.values['offset'] ?? 0);
    this.#updates.confirm(offset);
    const seconds = Number(call.values['timeout'] ?? 0);
    const callOff = this.#clock.later(() => {
      if (this.#waiter === waiter) this.#waiter = null;
      answer({ ok: true, result: [] });
    }, seconds * 1_000);
    const waiter: Waiter = {
      offset,
      finish: (body) => {
        callOff();
        answer(body);
      },
    };
    // The caller is gone: new updates are not for it.
    answerOf.once('close', () => {
      callOff();
      if (this.#waiter === waiter) this.#waiter = null;
    });
    this.#waiter = waiter;
    this.#wakePoller();
  }

  #do(call: ApiCall): unknown {
    const { values } = call;
    switch (call.method) {
      case 'getMe':
        return { ...BOT, username: this.username };
      case 'setWebhook':
        this.#updates.webhook = { url: String(values['url']), secret: values['secret_token'] as string | undefined };
        this.webhookConnections = Number(values['max_connections'] ?? 40);
        void this.#updates.deliver();
        return true;
      case 'deleteWebhook':
        this.#updates.webhook = null;
        return true;
      case 'setMyCommands':
      case 'deleteMyCommands': {
        const { chat_id: chat = 'anybody' } = (values['scope'] ?? {}) as { chat_id?: number };
        const list = (values['commands'] ?? []) as { command: string }[];
        this.menus.set(
          `${chat} ${String(values['language_code'] ?? '')}`.trim(),
          list.map(({ command }) => command),
        );
        return true;
      }
      case 'answerCallbackQuery':
        this.toasts.push({ id: String(values['callback_query_id']), text: String(values['text'] ?? '') });
        return true;
      case 'getFile': {
        const id = String(values['file_id']);
        const file = this.#files.get(id);
        if (file === undefined) throw new ApiError(400, 'Bad Request: invalid file_id');
        return {
          file_id: id,
          file_unique_id: id,
          file_size: file.bytes.length,
          file_path: this.#paths.get(id) ?? `files/${id}`,
        };
      }
      case 'sendMessage':
        return this.#show(call, String(values['text'] ?? ''), TEXT_MAX, []);
      case 'sendPhoto':
      case 'sendDocument':
      case 'sendVoice': {
        const kind = call.method.slice(4).toLowerCase();
        const file = fileOf(call, values[kind]);
        if (kind === 'photo') refuseBadPhoto(file.bytes);
        if (kind === 'voice' && this.#noVoice.has(Number(values['chat_id'])))
          throw new ApiError(400, 'Bad Request: VOICE_MESSAGES_FORBIDDEN');
        return this.#show(call, String(values['caption'] ?? ''), CAPTION_MAX, [{ kind, ...file }]);
      }
      case 'sendMediaGroup': {
        const media = values['media'] as { type: string; media: string; caption?: string }[];
        if (media.length < 2 || media.length > 10) throw new ApiError(400, 'Bad Request: wrong number of media');
        refuseMixedAlbum(media.map(({ type }) => type));
        for (const one of media) if (one.type === 'photo') refuseBadPhoto(fileOf(call, one.media).bytes);
        return media.map((one) =>
          this.#show(call, one.caption ?? '', CAPTION_MAX, [{ kind: one.type, ...fileOf(call, one.media) }]),
        );
      }
      case 'createForumTopic':
      case 'editForumTopic':
      case 'closeForumTopic':
      case 'reopenForumTopic': {
        this.#refuseMoved(Number(values['chat_id']));
        return this.forums.call(call, () => this.newMessageId());
      }
      default:
        throw new ApiError(404, 'Not Found: method not found');
    }
  }

  #show(call: ApiCall, text: string, max: number, files: ShownMessage['files']): object {
    const { values } = call;
    const chatId = Number(values['chat_id']);
    this.#refuseMoved(chatId);
    const thread = this.forums.threadFor(chatId, values['message_thread_id']);
    if (this.#blocked.has(chatId)) throw new ApiError(403, 'Forbidden: bot was blocked by the user');
    if (text.length > max) throw new ApiError(400, 'Bad Request: message is too long');
    if (text.trim() === '' && files.length === 0) throw new ApiError(400, 'Bad Request: message text is empty');
    const entities = (values['entities'] ?? values['caption_entities'] ?? []) as ShownMessage['entities'];
    for (const { offset, length } of entities)
      if (length < 1 || offset + length > text.length) throw new ApiError(400, 'Bad Request: entity out of bounds');
    this.#rate(chatId);
    this.forums.countMessage(chatId);
    const markup = values['reply_markup'] as
      | { inline_keyboard?: { text: string; callback_data: string }[][] }
      | undefined;
    const buttons = markup?.inline_keyboard?.flat() ?? [];
    for (const { callback_data: data } of buttons)
      if (Buffer.byteLength(data) > 64) throw new ApiError(400, 'Bad Request: BUTTON_DATA_INVALID');
    const reply = values['reply_parameters'] as { message_id: number } | undefined;
    const message = {
      message_id: this.newMessageId(),
      chat_id: chatId,
      text,
      entities,
      buttons,
      reply_to: reply?.message_id,
      thread_id: thread,
      files,
    };
    this.sent.push(message);
    return {
      message_id: message.message_id,
      date: this.date(),
      chat: { id: chatId, type: chatId < 0 ? 'supergroup' : 'private' },
      text,
    };
  }

  #refuseMoved(chatId: number): void {
    const moved = this.#moved.get(chatId);
    if (moved !== undefined)
      throw new ApiError(400, 'Bad Request: group chat was upgraded to a supergroup chat', {
        migrate_to_chat_id: moved,
      });
  }

  #rate(chatId: number): void {
    const now = this.#clock.now();
    const since = now - (this.#lastSend.get(chatId) ?? Number.NEGATIVE_INFINITY);
    if (since < this.#spacing)
      throw new ApiError(429, 'Too Many Requests', { retry_after: Math.ceil((this.#spacing - since) / 1_000) });
    this.#lastSend.set(chatId, now);
  }
}

function fileOf(call: ApiCall, reference: unknown): ApiFile {
  const name = typeof reference === 'string' && reference.startsWith('attach://') ? reference.slice(9) : '';
  const file = call.files.get(name);
  if (file === undefined) throw new ApiError(400, 'Bad Request: there is no file in the request');
  return file;
}

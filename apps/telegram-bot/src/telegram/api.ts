import { isAbsolute } from 'node:path';
import { Readable } from 'node:stream';
import { Api, GrammyError, HttpError, InputFile, InputMediaBuilder } from 'grammy';
import type { InlineKeyboardMarkup, ForceReply, Update, UserFromGetMe } from 'grammy/types';
import { ChatError, firstCharacters } from '@chat-realtime/protocol';
import type { Content, SentFile } from '../domain/content.ts';
import { isPhoto, isVoice, missingFiles } from '../domain/fallback-content.ts';
import { CAPTION_MAX } from '../domain/split-text.ts';
import { type DownloadedFile, openLocalFile } from './local-file.ts';
import { failureOf, networkFailure, TelegramFailure } from './failures.ts';

/** A call that sends something may take as long as its file takes. */
const SEND_SECONDS = 30;
const POLL_SECONDS = 25;
const TOAST_MAX = 200;
/** The kinds of updates that the bot requests. */
const UPDATES = ['message', 'edited_message', 'callback_query', 'my_chat_member'] as const;

/** Opens a file of the chat. Null: it is gone, or its address has expired. */
export type OpenFile = (file: SentFile) => Promise<Readable | null>;

/** The Bot API as this bot uses it. Everything rejects with a `TelegramFailure`. */
export interface TelegramApi {
  me(): Promise<UserFromGetMe>;
  /** Waits for updates; `signal` ends the wait. */
  updates(offset: number | undefined, signal: AbortSignal): Promise<Update[]>;
  listenToWebhook(url: string, secret: string): Promise<void>;
  endWebhook(): Promise<void>;
  /** The default menu, for everybody. */
  setCommands(): Promise<void>;
  /** An operator's menu, shown only in their chat with the bot. Never rejects: nothing depends on it. */
  showStaffCommands(chatId: number, shown: boolean): Promise<void>;
  /** Returns the ids of the messages it became. */
  send(chatId: number, content: Content, threadId?: number): Promise<number[]>;
  /** Creates a topic of a forum; returns its number. */
  createTopic(groupId: number, name: string): Promise<number>;
  renameTopic(groupId: number, threadId: number, name: string): Promise<void>;
  /** False opens it again. */
  closeTopic(groupId: number, threadId: number, closed: boolean): Promise<void>;
  answerButton(id: string, text: string): Promise<void>;
  /** A file that somebody sent. */
  download(fileId: string): Promise<DownloadedFile>;
}

export interface TelegramApiOptions {
  readonly token: string;
  readonly root: string;
  readonly openFile: OpenFile;
  readonly commands: (
    language: 'ru' | 'en',
    audience: 'anybody' | 'staff',
  ) => readonly { readonly command: string; readonly description: string }[];
}

export function createTelegramApi({ token, root, openFile, commands }: TelegramApiOptions): TelegramApi {
  const apiRoot = root.replace(/\/+$/, '');
  const api = new Api(token, { apiRoot, timeoutSeconds: SEND_SECONDS });
  const polling = new Api(token, { apiRoot, timeoutSeconds: POLL_SECONDS + 10 });

  const call = async <T>(method: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      // Neither the cause nor its text is kept: an address in it contains the token.
      if (error instanceof GrammyError) throw failureOf(method, error);
      if (error instanceof HttpError) throw networkFailure(method, error.error);
      if (error instanceof TelegramFailure) throw error;
      throw networkFailure(method, error);
    }
  };

  const sendFiles = async (
    chatId: number,
    content: Extract<Content, { kind: 'files' }>,
    thread: { message_thread_id?: number },
  ): Promise<number[]> => {
    const { files, caption = '', entities, buttons, asDocuments = false } = content;
    const opened = await openAll(openFile, files);
    const there = opened.flatMap(({ file, stream }) =>
      stream === null ? [] : [{ file, input: new InputFile(stream, file.name) }],
    );
    const lost = opened.flatMap(({ file, stream }) => (stream === null ? [file] : []));
    const before = caption === '' ? '' : `${caption}\n`;
    const noted = lost.length === 0 ? caption : `${before}${missingFiles(lost, CAPTION_MAX - before.length)}`;
    const text = noted.length <= CAPTION_MAX ? noted : caption;
    const headed = text === '' ? {} : { caption: text, caption_entities: entities ?? [] };
    const other = { ...headed, ...thread, ...markup(buttons, false) };
    const [first] = there;
    if (first === undefined) {
      const sent = await api.sendMessage(chatId, text === '' ? '📎' : text, {
        entities: entities ?? [],
        ...thread,
        ...markup(buttons, false),
      });
      return [sent.message_id];
    }
    if (there.length === 1)
      return [(await sendOne(api, chatId, first.file, first.input, asDocuments, other)).message_id];
    // An album has either pictures or documents.
    const sent =
      !asDocuments && there.every(({ file }) => isPhoto(file))
        ? await api.sendMediaGroup(
            chatId,
            there.map(({ input }, index) => InputMediaBuilder.photo(input, index === 0 ? headed : {})),
            thread,
          )
        : await api.sendMediaGroup(
            chatId,
            there.map(({ input }, index) => InputMediaBuilder.document(input, index === 0 ? headed : {})),
            thread,
          );
    return sent.map(({ message_id: id }) => id);
  };

  return {
    me: () => call('getMe', () => api.getMe()),
    updates: (offset, signal) =>
      call('getUpdates', () =>
        polling.getUpdates(
          {
            ...(offset === undefined ? {} : { offset }),
            timeout: POLL_SECONDS,
            limit: 100,
            allowed_updates: [...UPDATES],
          },
          // The library's type of a signal is older than Node's.
          signal as never,
        ),
      ),
    listenToWebhook: (url, secret) =>
      call('setWebhook', async () => {
        await api.setWebhook(url, {
          secret_token: secret,
          allowed_updates: [...UPDATES],
          // Several at once could overtake each other on the way.
          max_connections: 1,
        });
      }),
    endWebhook: () =>
      call('deleteWebhook', async () => {
        await api.deleteWebhook();
      }),
    setCommands: () =>
      call('setMyCommands', async () => {
        await api.setMyCommands([...commands('en', 'anybody')]);
        await api.setMyCommands([...commands('ru', 'anybody')], { language_code: 'ru' });
      }),
    showStaffCommands: (chatId, shown) =>
      call('setMyCommands', async () => {
        const scope = { type: 'chat', chat_id: chatId } as const;
        for (const language of ['en', 'ru'] as const) {
          const other = { scope, ...(language === 'en' ? {} : { language_code: language }) };
          if (shown) await api.setMyCommands([...commands(language, 'staff')], other);
          else await api.deleteMyCommands(other);
        }
      }).catch(() => undefined),
    send: (chatId, content, threadId) =>
      call('send', async () => {
        const thread = threadId === undefined ? {} : { message_thread_id: threadId };
        if (content.kind === 'files') return sendFiles(chatId, content, thread);
        const sent = await api.sendMessage(chatId, content.text, {
          entities: content.entities ?? [],
          link_preview_options: { is_disabled: true },
          ...thread,
          ...(content.replyTo === undefined
            ? {}
            : { reply_parameters: { message_id: content.replyTo, allow_sending_without_reply: true } }),
          ...markup(content.buttons, content.forceReply ?? false),
        });
        return [sent.message_id];
      }),
    createTopic: (groupId, name) =>
      call('createForumTopic', async () => (await api.createForumTopic(groupId, name)).message_thread_id),
    renameTopic: (groupId, threadId, name) =>
      call('editForumTopic', async () => {
        await api.editForumTopic(groupId, threadId, { name });
      }),
    closeTopic: (groupId, threadId, closed) =>
      call(closed ? 'closeForumTopic' : 'reopenForumTopic', async () => {
        if (closed) await api.closeForumTopic(groupId, threadId);
        else await api.reopenForumTopic(groupId, threadId);
      }),
    answerButton: (id, text) =>
      call('answerCallbackQuery', async () => {
        await api.answerCallbackQuery(id, { text: firstCharacters(text, TOAST_MAX) });
      }),
    download: (fileId) =>
      call('getFile', async () => {
        const file = await api.getFile(fileId).catch((error: unknown) => {
          // The token is known to be valid: the file does not exist, and never will.
          if (error instanceof GrammyError && error.error_code === 404)
            throw new TelegramFailure('refused', 'getFile: 404');
          throw error;
        });
        const path = file.file_path;
        if (path === undefined) throw new TelegramFailure('refused', 'getFile: the file has no path');
        if (isAbsolute(path)) return openLocalFile(path, token);
        const response = await fetch(`${apiRoot}/file/bot${token}/${path}`, { signal: AbortSignal.timeout(60_000) });
        if (!response.ok || response.body === null) {
          await response.body?.cancel();
          throw new TelegramFailure(response.status >= 500 ? 'unknown' : 'refused', `file: ${response.status}`);
        }
        // Node's stream of a fetch and the one in its type library differ only in name.
        return { content: Readable.fromWeb(response.body as never), size: file.file_size };
      }),
  };
}

/** All or none: if a file could not be opened this time, it is tried again, and nothing was sent. */
async function openAll(openFile: OpenFile, files: readonly SentFile[]) {
  const opened = await Promise.allSettled(files.map(async (file) => ({ file, stream: await openFile(file) })));
  const open = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  if (open.length === opened.length) return open;
  for (const { stream } of open) stream?.destroy();
  const isOfTheFile = opened.some(
    (one) => one.status === 'rejected' && one.reason instanceof ChatError && one.reason.code === 'internal_error',
  );
  throw new TelegramFailure('unreachable', 'send: a file of the chat cannot be opened', { isOfTheFile });
}

type Other = Parameters<Api['sendDocument']>[2];

function sendOne(api: Api, chatId: number, file: SentFile, input: InputFile, asDocument: boolean, other: Other) {
  if (asDocument) return api.sendDocument(chatId, input, other);
  if (isPhoto(file)) return api.sendPhoto(chatId, input, other);
  if (isVoice(file)) return api.sendVoice(chatId, input, other);
  return api.sendDocument(chatId, input, other);
}

function markup(
  buttons: Content['buttons'],
  forceReply: boolean,
): { reply_markup?: InlineKeyboardMarkup | ForceReply } {
  if (buttons !== undefined && buttons.length > 0) {
    const rows = buttons.map((row) => row.map(({ text, data }) => ({ text, callback_data: data })));
    return { reply_markup: { inline_keyboard: rows } };
  }
  return forceReply ? { reply_markup: { force_reply: true } } : {};
}

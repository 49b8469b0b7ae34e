import { ATTACHMENT_MAX_BYTES, ChatError } from '@chat-realtime/protocol';
import type { ChatService, FileOwner } from '../ports.ts';
import type { TelegramApi } from '../telegram/api.ts';
import { TelegramFailure } from '../telegram/failures.ts';
import type { DownloadedFile } from '../telegram/local-file.ts';
import type { Texts } from '../texts.ts';
import type { IncomingFile } from './incoming.ts';
import { isPassing } from './refusals.ts';

/** Said of the chat or of who writes, whatever the file is. */
const NOT_OF_FILES: ReadonlySet<string> = new Set(['forbidden', 'session_not_found', 'banned']);

export interface BroughtFiles {
  readonly ids: readonly string[];
  /** The text for their sender. */
  readonly problems: readonly string[];
  /** Names of files that Telegram did not hand over: their recipient does not know of them yet. */
  readonly lost: readonly string[];
}

/** Takes files from Telegram to the chat. One that is refused does not keep the others. */
export async function bringFiles(
  files: readonly IncomingFile[],
  owner: FileOwner,
  {
    api,
    chatService,
    texts,
  }: { readonly api: Pick<TelegramApi, 'download'>; readonly chatService: ChatService; readonly texts: Texts },
): Promise<BroughtFiles> {
  const ids: string[] = [];
  const problems: string[] = [];
  const lost: string[] = [];
  for (const { fileId, name, size } of files) {
    if (size !== undefined && size > ATTACHMENT_MAX_BYTES) {
      problems.push(texts.fileTooLarge(name));
      continue;
    }
    let file: DownloadedFile | undefined;
    try {
      file = await api.download(fileId);
      const attachment = await chatService.upload(owner, { name, content: file.content, declaredBytes: file.size });
      ids.push(attachment.id);
    } catch (caught) {
      // chat-service knows only that the request ended too early.
      const error = file?.broke?.() ?? caught;
      if (error instanceof TelegramFailure && error.isLasting) {
        problems.push(texts.fileLost(name));
        lost.push(name);
        continue;
      }
      // A disk stays full for as long as nobody clears it: the text goes without the file, and nothing waits behind it.
      const isRefused =
        (error instanceof ChatError && (!isPassing(error) || error.code === 'storage_full')) ||
        (error instanceof TelegramFailure && error.code === 'refused');
      if (!isRefused || (error instanceof ChatError && NOT_OF_FILES.has(error.code))) throw error;
      problems.push(error.code === 'payload_too_large' ? texts.fileTooLarge(name) : texts.fileRefused(name));
    }
  }
  return { ids, problems, lost };
}

import type { TelegramApi } from './api.ts';
import { TelegramFailure } from './failures.ts';
import type { DownloadedFile } from './local-file.ts';
import type { Patience } from './patience.ts';

/** Downloads that name the file for which Telegram has no good answer however long one waits, and pause longer each time. */
export function patientDownloads({ download }: Pick<TelegramApi, 'download'>, patience: Patience) {
  const failed = (fileId: string, message: string): TelegramFailure => {
    const isLasting = patience.isOver(fileId);
    return new TelegramFailure('unknown', message, { isLasting, retryAfterSeconds: patience.pauseSeconds(fileId) });
  };
  return {
    download: async (fileId: string): Promise<DownloadedFile> => {
      try {
        const file = await download(fileId);
        let broke: TelegramFailure | undefined;
        // Whoever reads it fails by it and cannot say why.
        file.content.once('error', () => (broke = failed(fileId, 'file: it broke off')));
        file.content.once('end', () => patience.end(fileId));
        return { ...file, broke: () => broke };
      } catch (error) {
        if (!(error instanceof TelegramFailure) || error.code !== 'unknown') throw error;
        throw failed(fileId, error.message);
      }
    },
  } satisfies Pick<TelegramApi, 'download'>;
}

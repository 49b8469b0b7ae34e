import type { TelegramApi } from './api.ts';
import { TelegramFailure } from './failures.ts';
import type { DownloadedFile } from './local-file.ts';
import type { RetryBudget } from './retry-budget.ts';

/** Downloads that name the file for which Telegram has no good answer however long one waits, and pause longer each time. */
export function patientDownloads({ download }: Pick<TelegramApi, 'download'>, retryBudget: RetryBudget) {
  const failed = (fileId: string, message: string): TelegramFailure => {
    const isLasting = retryBudget.isOver(fileId);
    return new TelegramFailure('unknown', message, { isLasting, retryAfterSeconds: retryBudget.pauseSeconds(fileId) });
  };
  return {
    download: async (fileId: string): Promise<DownloadedFile> => {
      try {
        const file = await download(fileId);
        let broke: TelegramFailure | undefined;
        // Whoever reads it fails by it and cannot say why.
        file.content.once('error', () => (broke = failed(fileId, 'file: it broke off')));
        file.content.once('end', () => retryBudget.end(fileId));
        return { ...file, broke: () => broke };
      } catch (error) {
        if (!(error instanceof TelegramFailure) || error.code !== 'unknown') throw error;
        throw failed(fileId, error.message);
      }
    },
  } satisfies Pick<TelegramApi, 'download'>;
}

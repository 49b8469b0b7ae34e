import { ChatClientError, type SettingsPatch, type SettingsResponse } from '@chat-realtime/client/staff';

type Part = keyof NonNullable<SettingsPatch['expected_updated_at']>;

/** Another administrator has saved these parts while they were being changed here. */
export interface SettingsConflict {
  readonly parts: readonly string[];
  /** The current settings. */
  readonly settings: SettingsResponse;
  readonly by: string;
  readonly at: string;
}

function conflictOf(error: unknown): SettingsConflict | null {
  if (!(error instanceof ChatClientError) || error.code !== 'stale') return null;
  const { parts, settings } = error.details as { parts: string[]; settings: SettingsResponse };
  const [newest] = parts
    .flatMap((part) => settings.parts[part] ?? [])
    .toSorted((a, b) => Date.parse(b.updated_at) - Date.parse(a.updated_at));
  return { parts, settings, by: newest?.updated_by ?? '', at: newest?.updated_at ?? settings.updated_at ?? '' };
}

/**
 * When the shown version of each part was saved: a later save by another administrator is not overwritten unseen. A
 * part counts as seen where its form is shown, not whenever an answer contains it.
 */
export class SeenSettings {
  readonly #times = new Map<string, string>();

  constructor(settings: SettingsResponse) {
    this.see(Object.keys(settings.parts), settings);
  }

  see(parts: readonly string[], settings: SettingsResponse): void {
    for (const part of parts) {
      const time = settings.parts[part]?.updated_at;
      if (time === undefined) this.#times.delete(part);
      else this.#times.set(part, time);
    }
  }

  async save(
    patch: SettingsPatch,
    send: (patch: SettingsPatch) => Promise<SettingsResponse>,
  ): Promise<SettingsResponse | SettingsConflict> {
    const parts = Object.keys(patch) as Part[];
    const expected_updated_at = Object.fromEntries(parts.map((part) => [part, this.#times.get(part) ?? null]));
    try {
      const saved = await send({ ...patch, expected_updated_at });
      this.see(parts, saved);
      return saved;
    } catch (error) {
      const conflict = conflictOf(error);
      if (conflict === null) throw error;
      // Saving once more confirms it.
      this.see(conflict.parts, conflict.settings);
      return conflict;
    }
  }
}

export const isConflict = (answer: SettingsResponse | SettingsConflict): answer is SettingsConflict => 'by' in answer;

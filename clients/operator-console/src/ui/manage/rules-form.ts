import type { SettingsPatch, SettingsResponse } from '@chat-realtime/client/staff';
import { createContext } from 'preact';
import type { SettingsConflict } from '../../state/seen-settings.ts';

/** What each form of the page of rules is given. */
export interface RulesFormProps {
  readonly rules: SettingsResponse['rules'];
  /** Rejects with the server's error. */
  readonly save: (patch: SettingsPatch) => Promise<void>;
}

/** The values another administrator has saved in the meantime; `take` shows them instead of the draft. */
export const RulesEdit = createContext<{ readonly conflict: SettingsConflict | null; readonly take: () => void }>({
  conflict: null,
  take: () => undefined,
});

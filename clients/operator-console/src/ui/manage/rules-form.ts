import type { SettingsPatch, SettingsResponse } from '@chat-realtime/client/staff';
import { createContext } from 'preact';
import type { SettingsConflict } from '../../state/seen-settings.ts';

/** What each form of the page of rules is given. */
export interface RulesFormProps {
  readonly rules: SettingsResponse['rules'];
  /** Rejects with what the server says. */
  readonly save: (patch: SettingsPatch) => Promise<void>;
}

/** What another administrator has saved meanwhile; `take` shows it instead of what was being written. */
export const RulesEdit = createContext<{ readonly conflict: SettingsConflict | null; readonly take: () => void }>({
  conflict: null,
  take: () => undefined,
});

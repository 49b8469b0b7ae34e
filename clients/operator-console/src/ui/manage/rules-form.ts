import type { SettingsPatch, SettingsResponse } from '@chat-realtime/client/staff';

/** What each form of the page of rules is given. */
export interface RulesFormProps {
  readonly rules: SettingsResponse['rules'];
  /** Rejects with what the server says. */
  readonly save: (patch: SettingsPatch) => Promise<void>;
}

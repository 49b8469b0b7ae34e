import { storedSessionKey } from '@chat-realtime/client';
import { openKey } from '../open-key.ts';
import type { CallbackValues, PrechatValues, View } from './form-values.ts';

/** The visitor's draft: it outlives the page, for this tab only. */
export interface Kept {
  readonly view: View;
  readonly draft: string;
  readonly prechat: PrechatValues;
  /** Which text the consent in `prechat` was given to. */
  readonly consentVersion: string | null;
  readonly callback: CallbackValues;
  /** The newest message whose card beside the button was dismissed. */
  readonly dismissed: number;
  /** Which signed-in customer wrote it: hidden from the next user of this tab. Null: no one was signed in. */
  readonly customer: string | null;
}

export interface TabMemory {
  read(): Kept | null;
  keep(kept: Kept): void;
  forget(): void;
  keepOpen(open: boolean): void;
}

export function createTabMemory(namespace: string): TabMemory {
  const key = `${storedSessionKey(namespace)}:panel`;
  const attempt = <T>(use: (area: Storage) => T): T | null => {
    try {
      return use(sessionStorage);
    } catch {
      // Storage is blocked or full, or has data of another version: the text lasts until the page is left.
      return null;
    }
  };
  return {
    read: () => attempt((area) => JSON.parse(area.getItem(key) ?? 'null') as Kept | null),
    keep: (kept) => void attempt((area) => area.setItem(key, JSON.stringify(kept))),
    forget: () => void attempt((area) => area.removeItem(key)),
    keepOpen: (open) =>
      void attempt((area) => (open ? area.setItem(openKey(namespace), '1') : area.removeItem(openKey(namespace)))),
  };
}

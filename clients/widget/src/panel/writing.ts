import type { ChatClient, ConfigResponse } from '@chat-realtime/client';
import { type Cell, createCell } from './cell.ts';
import type { CallbackValues, PrechatValues, View } from './form-values.ts';
import type { Kept, TabMemory } from './tab-memory.ts';

const NO_ANSWERS: PrechatValues = { name: '', email: '', phone: '', answers: {}, consent: false };
const NO_CALLBACK: CallbackValues = { later: false, time: '', comment: '' };

/** What the visitor is writing, kept from page to page. */
export interface Writing {
  readonly view: Cell<View>;
  readonly draft: Cell<string>;
  readonly prechat: Cell<PrechatValues>;
  readonly callback: Cell<CallbackValues>;
  readonly dismissed: Cell<number>;
  /** A customer with this identity token writes from now on. What another one left is forgotten. */
  signedIn(identityToken: string): void;
  /** Forgets all of it: the next person who writes in this tab is another. */
  clear(): void;
}

/** Only compared, never shown or believed: who is signed in is the server's to judge. */
function customerOf(identityToken: string): string {
  const claims = (identityToken.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
  try {
    return String((JSON.parse(atob(claims)) as { sub?: unknown }).sub);
  } catch {
    // No token that the server takes: nobody is signed in by it.
    return '';
  }
}

export function createWriting(memory: TabMemory, client: ChatClient, config: Cell<ConfigResponse | null>): Writing {
  const view = createCell<View>('chat');
  const draft = createCell('');
  const prechat = createCell(NO_ANSWERS);
  const callback = createCell(NO_CALLBACK);
  const dismissed = createCell(0);
  /** Of the page before, until it is known that it may be shown. */
  let earlier = memory.read();
  let consentVersion: string | null = null;
  let identified = false;
  let customer: string | null = null;

  const keep = (): void => {
    if (prechat.getState().consent) consentVersion ??= config.getState()?.consent.version ?? null;
    else consentVersion = null;
    memory.keep({
      view: view.getState(),
      draft: draft.getState(),
      prechat: prechat.getState(),
      consentVersion,
      callback: callback.getState(),
      dismissed: dismissed.getState(),
      customer,
    });
  };
  const show = (kept: Kept): void => {
    earlier = null;
    consentVersion = kept.consentVersion;
    view.set(kept.view);
    if (draft.getState() === '') draft.set(kept.draft);
    prechat.set({ ...NO_ANSWERS, ...kept.prechat });
    callback.set({ ...NO_CALLBACK, ...kept.callback });
    dismissed.set(kept.dismissed);
  };
  const clear = (): void => {
    earlier = null;
    view.set('chat');
    draft.set('');
    prechat.set(NO_ANSWERS);
    callback.set(NO_CALLBACK);
    dismissed.set(0);
    memory.forget();
  };
  const look = (): void => {
    const before = identified;
    identified = client.getState().identified;
    if (before && !identified) {
      customer = null;
      clear();
    }
    if (earlier && !earlier.customer) show(earlier);
  };
  const signedIn = (identityToken: string): void => {
    const before = customer;
    customer = customerOf(identityToken);
    if (earlier?.customer === customer) show(earlier);
    else if (earlier || (before !== null && before !== customer)) clear();
    keep();
  };

  look();
  for (const cell of [view, draft, prechat, callback, dismissed]) cell.subscribe(keep);
  client.subscribe(look);
  client.on('event', (event) => {
    // A draft in a chat that was erased as a whole is erased too.
    if (event.type === 'chat.erased' && event.data.scope === 'session') clear();
  });
  config.subscribe(() => {
    const version = config.getState()?.consent.version;
    const { consent } = prechat.getState();
    // Consent to one text is none to another.
    if (consent && version !== undefined && consentVersion !== null && consentVersion !== version) {
      prechat.set({ ...prechat.getState(), consent: false });
    } else if (consent) keep();
  });
  return { view, draft, prechat, callback, dismissed, signedIn, clear };
}

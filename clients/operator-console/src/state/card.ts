import { settings } from '../settings.ts';
import { createStore } from '../store.ts';

/** Beside the conversation if there is room; otherwise over it, and only on request. */
const narrow = matchMedia('(width < 1240px)');
export const card = createStore({ shown: !narrow.matches && settings.getState().card });
narrow.addEventListener('change', () => card.set({ shown: !narrow.matches && settings.getState().card }));

export function showCard(shown: boolean): void {
  card.set({ shown });
  if (!narrow.matches) settings.set({ card: shown });
}

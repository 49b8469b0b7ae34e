import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Actions } from '../state/actions.ts';
import type { Desk } from '../state/desk.ts';

interface DeskContext {
  readonly desk: Desk;
  readonly actions: Actions;
}

export const DeskScope = createContext<DeskContext | null>(null);

export function useDesk(): DeskContext {
  const scope = useContext(DeskScope);
  if (scope === null) throw new Error('only inside of a signed-in desk');
  return scope;
}

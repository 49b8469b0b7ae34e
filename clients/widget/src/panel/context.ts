import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { PanelModel } from './model.ts';

const Context = createContext<PanelModel | null>(null);
export const ModelProvider = Context.Provider;

export function useModel(): PanelModel {
  const model = useContext(Context);
  if (model === null) throw new Error('a component of the panel stands outside of it');
  return model;
}

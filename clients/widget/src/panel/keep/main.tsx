import { render } from 'preact';
import type { KeepFile } from '../components/KeepChat.tsx';
import { KeepPage } from './KeepPage.tsx';

export const showKeep: KeepFile['showKeep'] = (element, model) => {
  render(<KeepPage model={model} />, element);
  element.querySelector<HTMLElement>('[data-first]')?.focus();
  return () => render(null, element);
};

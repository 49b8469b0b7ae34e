import { render } from 'preact';
import { type KeepModel, KeepPage } from './KeepPage.tsx';

/** Shows the page in an element of the panel. Returns a function that takes it away. */
export function showKeep(element: Element, model: KeepModel): () => void {
  render(<KeepPage model={model} />, element);
  element.querySelector<HTMLElement>('[data-first]')?.focus();
  return () => render(null, element);
}

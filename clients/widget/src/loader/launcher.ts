import type { State } from './texts.ts';

const SVG = 'http://www.w3.org/2000/svg';

/** A drawing of one line. */
export function icon(name: string, path: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', name);
  svg.setAttribute('viewBox', '0 0 24 24');
  const line = document.createElementNS(SVG, 'path');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}

export interface Launcher {
  readonly button: HTMLButtonElement;
  update(state: { label: string; state: State; busy: boolean; unread: string; hidden: boolean }): void;
}

/** A real button: it needs no help with focus, keyboard or names, and nothing in it is read out but its label. */
export function createLauncher(press: () => void): Launcher {
  const button = document.createElement('button');
  button.className = 'launcher';
  button.setAttribute('part', 'launcher');
  const count = document.createElement('span');
  count.className = 'count';
  button.append(icon('sign', 'M21 11.5a8.4 8.4 0 0 1-12 7.6L3 21l1.9-6A8.5 8.5 0 1 1 21 11.5z'), count);
  button.addEventListener('click', press);
  return {
    button,
    update({ label, state, busy, unread, hidden }) {
      const open = state === 'open';
      button.dataset['state'] = state;
      button.setAttribute('aria-label', label);
      button.setAttribute('aria-expanded', `${open}`);
      button.setAttribute('aria-busy', `${busy}`);
      button.hidden = hidden;
      count.textContent = open ? '' : unread;
    },
  };
}

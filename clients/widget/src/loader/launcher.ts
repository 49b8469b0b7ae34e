const SVG = 'http://www.w3.org/2000/svg';

function icon(name: string, path: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', name);
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS(SVG, 'path');
  for (const [key, value] of Object.entries({
    d: path,
    fill: 'none',
    stroke: 'currentColor',
    'stroke-width': '2',
    'stroke-linecap': 'round',
    'stroke-linejoin': 'round',
  }))
    line.setAttribute(key, value);
  svg.append(line);
  return svg;
}

export interface Launcher {
  readonly button: HTMLButtonElement;
  update(state: { label: string; open: boolean; busy: boolean; unread: number; hidden: boolean }): void;
}

/** A real button: it needs no help with focus, keyboard or names. */
export function createLauncher(press: () => void): Launcher {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'launcher';
  button.setAttribute('part', 'launcher');
  const count = document.createElement('span');
  count.className = 'count';
  count.setAttribute('aria-hidden', 'true');
  button.append(
    icon('sign', 'M21 11.5a8.4 8.4 0 0 1-12 7.6L3 21l1.9-6A8.5 8.5 0 1 1 21 11.5z'),
    icon('cross', 'M6 6l12 12M18 6L6 18'),
    count,
  );
  button.addEventListener('click', press);
  return {
    button,
    update({ label, open, busy, unread, hidden }) {
      button.setAttribute('aria-label', label);
      button.setAttribute('aria-expanded', String(open));
      button.setAttribute('aria-busy', String(busy));
      button.hidden = hidden;
      count.textContent = open || unread === 0 ? '' : unread > 99 ? '99+' : String(unread);
    },
  };
}

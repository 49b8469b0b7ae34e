import type { WidgetTheme } from '../api.ts';

/** Black or white, whichever has more contrast on the colour. */
export function textOn(hex: string): string {
  // Near enough to the luminance of WCAG, whose curve has a straight foot that nobody sees here.
  const light = (at: number): number => (Number.parseInt(hex.slice(at, at + 2), 16) / 255) ** 2.2;
  return 0.2126 * light(1) + 0.7152 * light(3) + 0.0722 * light(5) > 0.179 ? '#111' : '#fff';
}

/** Set through the object model: a policy without 'unsafe-inline' forbids style attributes, not this. */
export function applyTheme(container: HTMLElement, { scheme = 'auto', accent = '' }: WidgetTheme, more = ''): void {
  container.dataset['scheme'] = scheme;
  const usable = /^#[0-9a-f]{6}$/i.test(accent);
  container.style.cssText = usable ? `${more}--accent:${accent};--on-accent:${textOn(accent)}` : more;
}

import type { WidgetTheme } from '../api.ts';

/** Near enough to WCAG's measure, whose curve has a straight foot that nobody sees here. */
const luminance = (hex: string): number =>
  [0.2126, 0.7152, 0.0722].reduce(
    (sum, weight, index) => sum + weight * (Number.parseInt(hex.slice(1 + 2 * index, 3 + 2 * index), 16) / 255) ** 2.2,
    0,
  );

/** Black or white, whichever has more contrast on the colour. */
export function textOn(hex: string): string {
  return luminance(hex) > 0.179 ? '#111' : '#fff';
}

/** Set through the object model: a policy without 'unsafe-inline' forbids style attributes, not this. */
export function applyTheme(container: HTMLElement, { scheme = 'auto', accent = '' }: WidgetTheme, more = ''): void {
  container.dataset['scheme'] = scheme;
  const usable = /^#[0-9a-f]{6}$/i.test(accent);
  container.style.cssText = usable ? `${more}--accent:${accent};--on-accent:${textOn(accent)}` : more;
}

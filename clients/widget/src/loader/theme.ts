import type { WidgetTheme } from '../api.ts';

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Black or white, whichever has more contrast on the colour (WCAG's measure). */
export function textOn(hex: string): string {
  return luminance(hex) > 0.179 ? '#111' : '#fff';
}

/** Set as properties one by one: a policy without 'unsafe-inline' forbids style attributes, not this. */
export function applyTheme(container: HTMLElement, { scheme = 'auto', accent }: WidgetTheme): void {
  container.dataset['scheme'] = scheme;
  const { style } = container;
  const usable = accent !== undefined && /^#[0-9a-f]{6}$/i.test(accent) ? accent : null;
  style.setProperty('--accent', usable);
  style.setProperty('--on-accent', usable && textOn(usable));
}

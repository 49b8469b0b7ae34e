import { z } from 'zod';
import { safeText } from './primitives.ts';

/** As a browser writes it in `Origin`: `https://shop.example`, no path, no default port. */
function isOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text;
}
export const originSchema = safeText(255).refine(isOrigin, 'must be an origin such as https://shop.example');
export const ORIGINS_MAX = 50;
export const originsSchema = z.array(originSchema).max(ORIGINS_MAX);

import { Icon } from './Icon.tsx';

/** Initials on one of eight calm colours; the same person always has the same. */
export function Avatar({ name, seed, small = false }: { name: string | null; seed: string | number; small?: boolean }) {
  const text = String(seed);
  let hash = 7;
  for (const char of text) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) % 997;
  const initials = (name ?? '')
    .trim()
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => [...word][0] ?? '')
    .join('')
    .toUpperCase();
  return (
    <span class={`avatar tint-${hash % 8}${small ? ' small' : ''}`} aria-hidden="true">
      {initials === '' ? <Icon name="person" /> : initials}
    </span>
  );
}

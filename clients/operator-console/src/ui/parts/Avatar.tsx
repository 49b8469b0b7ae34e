import { useState } from 'preact/hooks';
import { Icon } from './Icon.tsx';

interface AvatarProps {
  readonly name: string | null;
  readonly seed: string | number;
  readonly small?: boolean;
  readonly picture?: string | null;
}

/** A picture, or initials on one of eight calm colours; the same person always has the same. */
export function Avatar({ name, seed, small = false, picture = null }: AvatarProps) {
  const [failed, setFailed] = useState<string | null>(null);
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
      {picture !== null && picture !== failed ? (
        <img src={picture} alt="" draggable={false} onError={() => setFailed(picture)} />
      ) : initials === '' ? (
        <Icon name="person" />
      ) : (
        initials
      )}
    </span>
  );
}

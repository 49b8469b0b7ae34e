import { useState } from 'preact/hooks';

interface AvatarProps {
  readonly name: string | null;
  /** Address of their picture, if they have one. */
  readonly picture?: string | undefined;
  readonly online?: boolean;
  readonly small?: boolean;
}

/**
 * Picture or initials of the operator, or the chat's icon while it is unassigned. Decoration only: the name is beside
 * it.
 */
export function Avatar({ name, picture, online, small }: AvatarProps) {
  const [failed, setFailed] = useState<string>();
  const initials = name
    ?.split(/\s+/)
    .slice(0, 2)
    .map((part) => [...part][0] ?? '')
    .join('')
    .toUpperCase();
  return (
    <span class={`avatar${online ? ' is-online' : ''}${small ? ' is-small' : ''}`} aria-hidden="true">
      {picture !== undefined && picture !== failed ? (
        <img src={picture} alt="" draggable={false} onError={() => setFailed(picture)} />
      ) : (
        initials || (
          <svg class="icon" width="20" height="20" viewBox="0 0 24 24">
            <path d="M21 11.5a8.4 8.4 0 0 1-12 7.6L3 21l1.9-6A8.5 8.5 0 1 1 21 11.5z" />
          </svg>
        )
      )}
    </span>
  );
}

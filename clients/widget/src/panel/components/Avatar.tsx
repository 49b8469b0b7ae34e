/** Initials of the operator, or the sign of the chat while nobody has taken it. Only decoration: the name stands beside it. */
export function Avatar({ name, online }: { name: string | null; online?: boolean }) {
  const initials = name
    ?.split(/\s+/)
    .slice(0, 2)
    .map((part) => [...part][0] ?? '')
    .join('')
    .toUpperCase();
  return (
    <span class={`avatar${online ? ' is-online' : ''}`} aria-hidden="true">
      {initials || (
        <svg class="icon" width="20" height="20" viewBox="0 0 24 24">
          <path d="M21 11.5a8.4 8.4 0 0 1-12 7.6L3 21l1.9-6A8.5 8.5 0 1 1 21 11.5z" />
        </svg>
      )}
    </span>
  );
}

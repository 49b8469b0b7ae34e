import { useEffect } from 'preact/hooks';
import { useStore } from '../../store.ts';
import { useDesk } from '../context.ts';
import { Avatar } from './Avatar.tsx';

/** An operator's picture, or their initials. */
export function OperatorAvatar({ id, name, small = false }: { id: string; name: string | null; small?: boolean }) {
  const { desk } = useDesk();
  const picture = useStore(desk.pictures.known, (known) => known[id] ?? null);
  useEffect(() => desk.pictures.want(id), [id]);
  return <Avatar name={name} seed={id} small={small} picture={picture} />;
}

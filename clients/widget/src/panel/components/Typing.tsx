import type { Typist } from '@chat-realtime/client';
import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';

export function Typing({ typists }: { typists: readonly Typist[] }) {
  const model = useModel();
  const texts = useStore(model.texts);
  const typist = typists.find((someone) => someone.by === 'staff');
  if (typist === undefined) return null;
  return (
    <p class="typing">
      <span class="dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      {texts.typing(typist.name ?? texts.operator)}
    </p>
  );
}

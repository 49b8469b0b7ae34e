import { useRef, useState } from 'preact/hooks';
import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';
import { takesNoFiles } from '../uploads.ts';
import type { ShownFile } from '../use-file.ts';
import { type Attach, Composer } from './Composer.tsx';
import { ImageViewer } from './ImageViewer.tsx';
import { MessageList } from './MessageList.tsx';

/** Messages and composer; files may be dropped anywhere on it. */
export function Conversation() {
  const model = useModel();
  const texts = useStore(model.texts);
  const [dragging, setDragging] = useState(false);
  const [image, setImage] = useState<ShownFile | null>(null);
  const depth = useRef(0);
  const attach = useRef<Attach>(() => undefined);
  const carriesFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
  const drag = (change: 1 | -1) => (event: DragEvent) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth.current += change;
    setDragging(depth.current > 0 && !takesNoFiles(model.config.getState()));
  };
  const drop = (event: DragEvent): void => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth.current = 0;
    setDragging(false);
    attach.current([...(event.dataTransfer?.files ?? [])]);
  };
  return (
    <div
      class="conversation"
      onDragEnter={drag(1)}
      onDragLeave={drag(-1)}
      onDragOver={(event) => carriesFiles(event) && event.preventDefault()}
      onDrop={drop}
    >
      <MessageList showImage={setImage} />
      <Composer attachRef={attach} />
      {dragging && <div class="drop">{texts.drop}</div>}
      {image !== null && <ImageViewer image={image} close={() => setImage(null)} />}
    </div>
  );
}

import type { Attachment } from '@chat-realtime/client';
import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';
import { attachmentUrl, isPicture } from '../attachments.ts';
import { formatSize } from '../texts/format.ts';
import { Icon } from './Icon.tsx';

interface AttachmentViewProps {
  readonly attachment: Attachment;
  readonly showImage: (image: Attachment) => void;
}

export function AttachmentView({ attachment, showImage }: AttachmentViewProps) {
  const model = useModel();
  const texts = useStore(model.texts);
  const { locale, baseUrl } = useStore(model.settings);
  const url = attachmentUrl(attachment, baseUrl);
  const { name, width, height } = attachment;
  if (url !== null && isPicture(attachment)) {
    return (
      <button type="button" class="picture" aria-label={texts.image(name)} onClick={() => showImage(attachment)}>
        <img src={url} alt="" width={width} height={height} loading="lazy" decoding="async" />
      </button>
    );
  }
  const size = formatSize(attachment.size, locale, texts);
  const inside = (
    <>
      <span class="file-icon">
        <Icon name="file" />
      </span>
      <span class="file-name">
        {name}
        <small>{size}</small>
      </span>
    </>
  );
  // Not stored yet, so there is nothing to download.
  if (url === null) return <span class="file">{inside}</span>;
  return (
    <a class="file" href={url} target="_blank" rel="noopener noreferrer" aria-label={texts.file(name, size)}>
      {inside}
    </a>
  );
}

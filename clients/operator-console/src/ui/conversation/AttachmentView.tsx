import type { Attachment } from '@chat-realtime/client/staff';
import { sizeText } from '../../i18n/index.ts';
import { Icon } from '../parts/Icon.tsx';

const PICTURE = /^image\/(?:png|jpeg|gif|webp|avif)$/;

export function AttachmentView({ attachment }: { attachment: Attachment }) {
  const { url, name, mime, size, width, height } = attachment;
  if (url !== undefined && PICTURE.test(mime)) {
    return (
      <a class="picture" href={url} target="_blank" rel="noopener noreferrer">
        <img src={url} alt={name} width={width} height={height} loading="lazy" />
      </a>
    );
  }
  const body = (
    <>
      <Icon name="file" />
      <span class="file-name">{name}</span>
      <span class="file-size">{sizeText(size)}</span>
    </>
  );
  return url === undefined ? (
    <span class="file">{body}</span>
  ) : (
    <a class="file" href={url} target="_blank" rel="noopener noreferrer">
      {body}
    </a>
  );
}

import type { Attachment } from '@chat-realtime/client/staff';
import { Icon } from '../parts/Icon.tsx';

const PICTURE = /^image\/(?:png|jpeg|gif|webp|avif)$/;

export function sizeText(bytes: number): string {
  return bytes < 1_024 * 1_024
    ? `${Math.max(1, Math.round(bytes / 1_024))} KB`
    : `${(bytes / 1_024 / 1_024).toFixed(1)} MB`;
}

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

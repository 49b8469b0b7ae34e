import { useEffect } from 'preact/hooks';
import { isPicture } from '../attachments.ts';
import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';
import { formatSize } from '../texts/format.ts';
import { type ShownFile, useFile } from '../use-file.ts';
import { Icon } from './Icon.tsx';

interface AttachmentViewProps extends ShownFile {
  readonly showImage: (image: ShownFile) => void;
}

export function AttachmentView({ attachment, messageId, showImage }: AttachmentViewProps) {
  const model = useModel();
  const texts = useStore(model.texts);
  const { locale } = useStore(model.settings);
  const { url, trouble, renew, broken, open } = useFile({ attachment, messageId });
  const { name, width, height } = attachment;
  const picture = isPicture(attachment);
  const said = trouble && (trouble === 'gone' ? texts.fileGone : picture ? texts.imageFailed : texts.fileFailed);
  useEffect(() => {
    if (said) model.announcement.set(`${name}: ${said}`);
  }, [said]);

  if (url !== null && picture && trouble === null) {
    return (
      <button
        type="button"
        class="picture"
        aria-label={texts.image(name)}
        onClick={() => showImage({ attachment: { ...attachment, url }, messageId })}
      >
        <img src={url} alt="" width={width} height={height} loading="lazy" decoding="async" onError={broken} />
      </button>
    );
  }
  const size = formatSize(attachment.size, locale, texts);
  const inside = (
    <>
      <span class="file-icon">
        <Icon name={trouble ? 'alert' : 'file'} />
      </span>
      <span class="file-name" dir="auto">
        {name}
        <small>{said || size}</small>
      </span>
    </>
  );
  // Not stored yet, so there is nothing to download.
  if (url === null && trouble === null) return <span class="file">{inside}</span>;
  const press = (event: MouseEvent): void => {
    event.preventDefault();
    void (picture ? renew() : open());
  };
  return (
    <a
      class="file"
      href={url ?? undefined}
      target="_blank"
      rel="noopener noreferrer"
      aria-label={picture ? `${name}: ${said}` : texts.file(name, size)}
      onClick={press}
    >
      {inside}
      {trouble === 'failed' && <span class="file-again">{texts.retry}</span>}
    </a>
  );
}

import { sizeText, t } from '../../i18n/index.ts';
import { Icon } from '../parts/Icon.tsx';
import { type FileOfMessage, useFile } from './use-file.ts';

const PICTURE = /^image\/(?:png|jpeg|gif|webp|avif)$/;

export function AttachmentView(file: FileOfMessage) {
  const { name, mime, size, width, height } = file.attachment;
  const { url, trouble, renew, broken, open } = useFile(file);
  const picture = PICTURE.test(mime);
  const said = trouble && (trouble === 'gone' ? t().fileGone : picture ? t().pictureFailed : t().fileFailed);
  const press = (event: MouseEvent): void => {
    event.preventDefault();
    void (picture && trouble !== null ? renew() : open());
  };
  if (url !== undefined && picture && trouble === null) {
    return (
      <a class="picture" href={url} target="_blank" rel="noopener noreferrer" onClick={press}>
        <img src={url} alt={name} width={width} height={height} loading="lazy" onError={broken} />
      </a>
    );
  }
  const body = (
    <>
      <Icon name="file" />
      <span class="file-name" dir="auto">
        {name}
      </span>
      <span class="file-size">{said ?? sizeText(size)}</span>
    </>
  );
  return url === undefined && trouble === null ? (
    <span class="file">{body}</span>
  ) : (
    <a class="file" href={url} target="_blank" rel="noopener noreferrer" onClick={press}>
      {body}
    </a>
  );
}

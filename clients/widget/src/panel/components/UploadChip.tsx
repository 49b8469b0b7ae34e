import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';
import { formatSize } from '../texts/format.ts';
import type { Upload } from '../uploads.ts';
import { Icon } from './Icon.tsx';

/** A file that is being uploaded: its progress, and buttons to cancel or retry. */
export function UploadChip({ upload }: { upload: Upload }) {
  const model = useModel();
  const texts = useStore(model.texts);
  const { locale } = useStore(model.settings);
  const { name, size } = upload.file;
  const fraction = upload.status === 'uploading' ? upload.fraction : 1;
  return (
    <li class={`upload is-${upload.status}`}>
      <Icon name="file" size={18} />
      <span class="upload-name" dir="auto">
        {name}
        <small>{upload.status === 'failed' ? upload.error : formatSize(size, locale, texts)}</small>
      </span>
      {upload.status === 'uploading' && (
        <progress max={1} value={fraction} aria-label={texts.uploading(name, Math.round(fraction * 100))} />
      )}
      {upload.status === 'failed' && upload.again && (
        <button
          type="button"
          class="icon-button is-small"
          aria-label={texts.retry}
          onClick={() => model.uploads.retry(upload.key)}
        >
          <Icon name="retry" size={16} />
        </button>
      )}
      <button
        type="button"
        class="icon-button is-small"
        aria-label={texts.remove(name)}
        onClick={() => model.uploads.remove(upload.key)}
      >
        <Icon name="close" size={16} />
      </button>
    </li>
  );
}

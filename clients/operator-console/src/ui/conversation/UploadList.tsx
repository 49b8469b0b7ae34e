import { t } from '../../i18n/index.ts';
import type { Uploads } from '../../state/composer.ts';
import { useStore } from '../../store.ts';
import { IconButton } from '../parts/IconButton.tsx';

export function UploadList({ uploads }: { uploads: Uploads }) {
  const list = useStore(uploads, (state) => state.list);
  if (list.length === 0) return null;
  return (
    <ul class="uploads">
      {list.map((upload) => (
        <li key={upload.key} data-state={upload.state}>
          <span class="file-name" dir="auto">
            {upload.name}
          </span>
          {upload.state === 'uploading' && <progress value={upload.progress} max={1} aria-label={upload.name} />}
          <IconButton
            icon="close"
            label={upload.state === 'uploading' ? t().cancelUpload(upload.name) : t().removeFile(upload.name)}
            onClick={() => uploads.remove(upload.key)}
          />
        </li>
      ))}
    </ul>
  );
}

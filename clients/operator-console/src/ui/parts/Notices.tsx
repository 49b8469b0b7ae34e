import { t } from '../../i18n/index.ts';
import { dismiss, ui } from '../../state/desk.ts';
import { useStore } from '../../store.ts';
import { IconButton } from './IconButton.tsx';

/** One live region for all brief notices. */
export function Notices() {
  const notices = useStore(ui, (state) => state.notices);
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.map((notice) => (
        <div key={notice.id} class={`notice ${notice.kind}`}>
          <span>{notice.text}</span>
          {notice.action !== undefined && (
            <button type="button" class="notice-action" onClick={() => (notice.action?.run(), dismiss(notice.id))}>
              {notice.action.label}
            </button>
          )}
          <IconButton icon="close" label={t().dismiss} onClick={() => dismiss(notice.id)} />
        </div>
      ))}
    </div>
  );
}

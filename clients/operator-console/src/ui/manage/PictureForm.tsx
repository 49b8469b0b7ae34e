import { useRef } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { notify } from '../../state/desk.ts';
import { NotAPicture } from '../../state/pictures.ts';
import { useStore } from '../../store.ts';
import { useDesk } from '../context.ts';
import { OperatorAvatar } from '../parts/OperatorAvatar.tsx';
import { useTask } from '../use-task.ts';
import { Problem } from './Page.tsx';

/** Chooses or removes the picture of an operator: one's own, or for admins anybody's. */
export function PictureForm({ id, name }: { id: string; name: string }) {
  const { desk } = useDesk();
  const { picture: words } = t().manage;
  const { busy, problem, run } = useTask();
  const picker = useRef<HTMLInputElement>(null);
  const has = useStore(desk.pictures.known, (known) => (known[id] ?? null) !== null);
  const choose = (file: File | undefined): void => {
    if (file === undefined) return;
    void run(async () => {
      try {
        await desk.pictures.put(id, file);
        notify(words.changed);
      } catch (error) {
        if (!(error instanceof NotAPicture)) throw error;
        notify(words.notOne, 'error');
      }
    });
  };
  return (
    <div class="picture-form" data-picture={id}>
      <OperatorAvatar id={id} name={name} />
      <div class="row-buttons wrap">
        <input
          ref={picker}
          type="file"
          accept="image/*"
          hidden
          onChange={({ currentTarget }) => {
            choose(currentTarget.files?.[0]);
            currentTarget.value = '';
          }}
        />
        <button
          type="button"
          class="quiet"
          data-action="choose-picture"
          disabled={busy}
          onClick={() => picker.current?.click()}
        >
          {words.choose}
          <span class="visually-hidden">: {name}</span>
        </button>
        {has && (
          <button
            type="button"
            class="quiet"
            data-action="remove-picture"
            disabled={busy}
            onClick={() =>
              void run(async () => {
                await desk.pictures.remove(id);
                notify(words.removed);
              })
            }
          >
            {words.remove}
            <span class="visually-hidden">: {name}</span>
          </button>
        )}
      </div>
      <p class="hint">{words.hint}</p>
      <Problem text={problem} />
    </div>
  );
}

import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';

/** Before the first message: a greeting and when to expect an answer. */
export function Welcome() {
  const model = useModel();
  const texts = useStore(model.texts);
  const config = useStore(model.config);
  return (
    <div class="welcome">
      <p class="bubble theirs">{texts.greeting}</p>
      {config !== null && <p class="bubble theirs">{config.online ? texts.replyTime : texts.offlineNote}</p>}
    </div>
  );
}

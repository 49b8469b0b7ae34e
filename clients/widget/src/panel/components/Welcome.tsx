import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';

/** Before the first message: a greeting and when to expect an answer. */
export function Welcome() {
  const model = useModel();
  const texts = useStore(model.texts);
  const config = useStore(model.config);
  const expectation = config === null ? '' : config.online ? texts.replyTime : texts.offlineNote;
  return (
    <div class="welcome">
      <p class="bubble theirs">{texts.greeting}</p>
      {expectation !== '' && <p class="bubble theirs">{expectation}</p>}
    </div>
  );
}

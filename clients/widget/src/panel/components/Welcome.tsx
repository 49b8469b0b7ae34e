import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';
import { expectation } from '../expectation.ts';

/** The top of every conversation: a greeting and when to expect an answer. */
export function Welcome() {
  const model = useModel();
  const texts = useStore(model.texts);
  const config = useStore(model.config);
  const { locale } = useStore(model.settings);
  const expected = expectation(config, locale, texts);
  const note = config !== null && !config.online ? texts.offlineNote : '';
  return (
    <div class="welcome">
      <p class="bubble is-theirs" dir="auto">
        {texts.greeting}
      </p>
      {(expected || note) && (
        <p class="bubble is-theirs" dir="auto">
          {[expected, note].filter(Boolean).join('. ')}
        </p>
      )}
    </div>
  );
}

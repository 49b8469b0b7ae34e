import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';
import { expectation } from '../expectation.ts';

/** Below a message that nobody has taken yet: it has arrived, and when an answer may come. */
export function Received() {
  const model = useModel();
  const texts = useStore(model.texts);
  const config = useStore(model.config);
  const { locale } = useStore(model.settings);
  const { session, messages } = useStore(model.client);
  const last = messages.at(-1);
  if (session?.status !== 'new' || !last?.own || last.id === null) return null;
  const expected = expectation(config, locale, texts);
  return (
    <p class="note" data-received>
      {texts.received}
      {expected && ` ${expected}`}
    </p>
  );
}

import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';
import { expectation } from '../expectation.ts';

/** Below the last message of an unassigned chat: it has arrived, and when to expect an answer. */
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

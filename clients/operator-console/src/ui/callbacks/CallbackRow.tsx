import {
  ChatClientError,
  type CallbackStaff,
  type CallbackStatus,
  type ConsentProof,
} from '@chat-realtime/client/staff';
import { useState } from 'preact/hooks';
import { dateTime, t } from '../../i18n/index.ts';
import { stepsOf } from '../../state/callbacks.ts';
import { callbackConsent } from '../../state/consent.ts';
import { notify } from '../../state/desk.ts';
import { routeHash } from '../../state/route.ts';
import { useStore } from '../../store.ts';
import { useDesk } from '../context.ts';
import { ConsentWords } from '../parts/ConsentWords.tsx';
import { Icon } from '../parts/Icon.tsx';

export function CallbackRow({ callback, late }: { callback: CallbackStaff; late: boolean }) {
  const { desk } = useDesk();
  const [busy, setBusy] = useState(false);
  const [consent, setConsent] = useState<ConsentProof | null>();
  const operators = useStore(desk.operators, (state) => state.list);
  const owner = operators.find((operator) => operator.id === callback.assigned_user_id)?.name ?? null;
  const steps = stepsOf(callback.status, desk.moves.callSteps);

  const go = async (status: CallbackStatus): Promise<void> => {
    setBusy(true);
    try {
      const own = status === 'assigned' ? { assigned_user_id: desk.user.id } : {};
      await desk.callbacks.update(callback.id, { status, ...own });
    } catch (error) {
      if (!(error instanceof ChatClientError)) throw error;
      notify(error.code === 'invalid_transition' ? t().stateChanged : t().actionFailed, 'error');
      void desk.callbacks.load();
    } finally {
      setBusy(false);
    }
  };

  const showConsent = async (): Promise<void> => {
    try {
      setConsent(await callbackConsent(desk.client.api, callback.id));
    } catch (error) {
      if (!(error instanceof ChatClientError)) throw error;
      notify(t().noAnswer, 'error');
    }
  };

  return (
    <li class="call" data-callback={callback.id} data-status={callback.status}>
      <div class="call-main">
        <p class="call-who">
          <a class="call-phone" href={`tel:${callback.phone}`}>
            {callback.phone}
          </a>
          {callback.name !== null && <span dir="auto">{callback.name}</span>}
          <span class={`state call-${callback.status}`}>{t().callbackStates[callback.status]}</span>
        </p>
        {callback.comment !== null && callback.comment !== '' && (
          <p class="call-comment" dir="auto">
            {callback.comment}
          </p>
        )}
        <p class={`call-due${late ? ' late' : ''}`}>
          <time dateTime={callback.due_at}>{t().dueAt(dateTime(callback.due_at))}</time>
          {owner !== null && <span> · {t().assignedTo(owner)}</span>}
        </p>
        {!desk.moves.records ? null : consent === undefined ? (
          <button type="button" class="quiet small" data-action="consent" onClick={() => void showConsent()}>
            {t().consent}
          </button>
        ) : consent === null ? (
          <p class="hint">{t().consentNone}</p>
        ) : (
          <ConsentWords proof={consent} locale={null} open />
        )}
      </div>
      <div class="row-buttons">
        {callback.session_id !== null && (
          <a class="button quiet" href={routeHash({ page: 'inbox', view: 'all', sessionId: callback.session_id })}>
            <Icon name="chats" /> {t().openChat}
          </a>
        )}
        {steps.map((status, index) => (
          <button
            key={status}
            type="button"
            class={index === 0 ? 'primary' : 'quiet'}
            disabled={busy}
            data-step={status}
            onClick={() => void go(status)}
          >
            {t().callbackSteps[status]}
          </button>
        ))}
      </div>
    </li>
  );
}

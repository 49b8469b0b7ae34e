import { ChatClientError, type OperatorStatus } from '@chat-realtime/client/staff';
import { useEffect } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { notify, ui } from '../state/desk.ts';
import { STATUSES } from '../state/own-status.ts';
import { useStore } from '../store.ts';
import { useDesk } from './context.ts';
import { Icon } from './parts/Icon.tsx';
import { usePopover } from './use-popover.ts';

/** The operator's own status, seen and changed in one place; and the handover of their chats. */
export function StatusMenu() {
  const { desk } = useDesk();
  const { status } = useStore(desk.status);
  const { open, setOpen, box, button } = usePopover();

  useEffect(() => {
    // Changed in another tab or on another device in the meantime.
    const refresh = (): void => {
      if (document.visibilityState === 'visible') void desk.status.load();
    };
    document.addEventListener('visibilitychange', refresh);
    return () => document.removeEventListener('visibilitychange', refresh);
  }, [desk]);

  const choose = async (next: OperatorStatus): Promise<void> => {
    setOpen(false);
    button.current?.focus();
    try {
      await desk.status.choose(next);
    } catch (error) {
      if (!(error instanceof ChatClientError)) throw error;
      notify(t().actionFailed, 'error');
    }
  };
  const label = status === null ? '…' : t().statuses[status];
  return (
    <div class="status" ref={box}>
      <button
        ref={button}
        type="button"
        class={`status-button status-${status ?? 'unknown'}`}
        data-status={status ?? 'unknown'}
        aria-expanded={open}
        aria-label={`${t().ownStatus}: ${label}`}
        onClick={() => setOpen(!open)}
      >
        <span class="status-dot" aria-hidden="true" />
        {label}
        <span class="status-caret" aria-hidden="true" />
      </button>
      {open && (
        <section class="status-menu" aria-label={t().ownStatus}>
          {STATUSES.map((one) => (
            <button
              key={one}
              type="button"
              class={`status-choice status-${one}`}
              aria-pressed={one === status}
              data-choose={one}
              onClick={() => void choose(one)}
            >
              <span class="status-dot" aria-hidden="true" />
              <span>
                <strong>{t().statuses[one]}</strong>
                <span>{t().statusHints[one]}</span>
              </span>
            </button>
          ))}
          {desk.moves.handOver && (
            <button
              type="button"
              class="quiet wide"
              data-action="handover"
              onClick={() => {
                setOpen(false);
                void desk.loadOperators();
                ui.set({ dialog: 'handover' });
              }}
            >
              <Icon name="transfer" /> {t().handOver}
            </button>
          )}
        </section>
      )}
    </div>
  );
}

import type { ChatClientError } from '@chat-realtime/client/staff';
import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { BAN_REASON_MAX } from '../../limits.ts';
import { addBan, type BanKind } from '../../state/administration.ts';
import { clock, notify } from '../../state/desk.ts';
import { useStore } from '../../store.ts';
import { useDesk } from '../context.ts';
import { Choice } from '../manage/Choice.tsx';
import { Problem } from '../manage/Page.tsx';
import { refusalOf, useTask } from '../use-task.ts';
import { closeDialog, Dialog } from './Dialog.tsx';

const HOURS = ['1', '24', '168', '720', ''] as const;
type Hours = (typeof HOURS)[number];

/** The server refuses an unknown address, or one of a private network. */
const words = (error: ChatClientError): string => {
  if (error.status !== 422) return refusalOf(error);
  const [line] = /TRUSTED_PROXIES=[\da-f.:]+/i.exec(JSON.stringify(error.details ?? '')) ?? [];
  return line === undefined ? t().manage.banRefused : t().manage.banBehindProxy(line);
};

export function BanDialog({ sessionId }: { sessionId: number }) {
  const { desk } = useDesk();
  const { manage } = t();
  const known = useStore(desk.inbox, (state) => state.sessions.get(sessionId)?.customer_id ?? null);
  const kinds: readonly BanKind[] = known === null ? ['session', 'address'] : ['session', 'customer', 'address'];
  const [by, setBy] = useState<BanKind>('session');
  const [hours, setHours] = useState<Hours>('24');
  const [reason, setReason] = useState('');
  const { busy, problem, run } = useTask(words);
  const ban = (): void =>
    void run(async () => {
      const until = hours === '' ? null : new Date(clock.getState().now + Number(hours) * 3_600_000).toISOString();
      const { other_sessions: others = 0 } = await addBan(desk.client.api, {
        session_id: sessionId,
        by,
        reason: reason.trim() || null,
        until,
      });
      closeDialog();
      notify(others === 0 ? manage.banned : manage.bannedWithOthers(others));
    });
  return (
    <Dialog title={manage.ban}>
      <form
        class="form"
        aria-label={manage.ban}
        onSubmit={(event) => {
          event.preventDefault();
          ban();
        }}
      >
        <p class="hint">{manage.banHint}</p>
        <Choice
          label={manage.banWhom}
          name="by"
          value={by}
          options={kinds.map((kind) => [kind, manage.banKinds[kind]] as const)}
          onChange={setBy}
        />
        <Choice
          label={manage.banFor}
          name="hours"
          value={hours}
          options={HOURS.map((one) => [one, manage.banHours[one]] as const)}
          onChange={setHours}
        />
        <label>
          {manage.banReason}
          <input
            name="reason"
            value={reason}
            maxLength={BAN_REASON_MAX}
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        </label>
        <Problem text={problem} />
        <div class="row-buttons">
          <button type="button" class="quiet" onClick={closeDialog}>
            {t().cancel}
          </button>
          <button type="submit" class="danger" data-action="ban-yes" disabled={busy}>
            {manage.ban}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

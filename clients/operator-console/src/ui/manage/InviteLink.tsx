import type { OperatorInvite } from '@chat-realtime/client/staff';
import { dateTime, t } from '../../i18n/index.ts';
import { CodeBlock } from '../parts/CodeBlock.tsx';

/** Shown only once: only a hash of it is stored. */
export function InviteLink({ invite, onDone }: { invite: OperatorInvite; onDone: () => void }) {
  const { manage } = t();
  return (
    <div class="panel" role="status" data-invite={invite.operator.login}>
      <p>
        <strong>{manage.inviteReady(invite.operator.name)}</strong>
      </p>
      <p class="hint">{manage.inviteHint(dateTime(invite.expires_at))}</p>
      <CodeBlock label={manage.inviteReady(invite.operator.name)} code={invite.invite_url} />
      <div class="row-buttons">
        <button type="button" class="quiet" onClick={onDone}>
          {t().done}
        </button>
      </div>
    </div>
  );
}

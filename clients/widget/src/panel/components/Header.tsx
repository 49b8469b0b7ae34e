import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';
import { formatReopening } from '../texts/format.ts';
import { Avatar } from './Avatar.tsx';
import { Icon, type IconName } from './Icon.tsx';

function IconButton({ icon, label, press }: { icon: IconName; label: string; press: () => void }) {
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} onClick={press}>
      <Icon name={icon} />
    </button>
  );
}

/** The operator's name once somebody has claimed the chat, and whether to expect an answer now. */
export function Header() {
  const model = useModel();
  const { session, operatorsOnline, connection } = useStore(model.client);
  const config = useStore(model.config);
  const texts = useStore(model.texts);
  const settings = useStore(model.settings);
  const view = useStore(model.view);
  const pictures = useStore(model.pictures);
  const muted = useStore(model.muted);
  const ended = session?.status === 'closed' && view === 'chat';
  const online = !ended && (connection.status === 'online' ? operatorsOnline > 0 : (config?.online ?? false));
  const operator = session?.assigned_user_name ?? null;
  const reopens = config?.reopens_at ?? null;
  const away = reopens !== null ? formatReopening(reopens, settings.locale, texts) : texts.away;
  const state = ended ? texts.ended : online ? texts.online : away;
  const titles = { chat: operator ?? texts.title, callback: texts.callbackTitle, keep: texts.keepTitle };
  const keeps = model.canKeep && view === 'chat' && session !== null && session.last_seq > 0;
  return (
    <div class="header">
      {view !== 'chat' ? (
        <IconButton icon="back" label={texts.back} press={() => model.view.set('chat')} />
      ) : (
        <Avatar name={operator} picture={pictures[session?.assigned_user_id ?? '']} online={online} />
      )}
      <div class="who">
        <h2 dir="auto">{titles[view]}</h2>
        {config !== null && <p>{state}</p>}
      </div>
      {view === 'chat' && model.calls.offered && (
        <IconButton icon="phone" label={texts.callback} press={() => model.view.set('callback')} />
      )}
      {settings.sound && (
        <IconButton
          icon={muted ? 'muted' : 'sound'}
          label={muted ? texts.unmute : texts.mute}
          press={model.toggleMuted}
        />
      )}
      {keeps && <IconButton icon="more" label={texts.keepTitle} press={() => model.view.set('keep')} />}
      <IconButton icon="close" label={texts.close} press={model.host.close} />
    </div>
  );
}

import type { DeliveryState } from '@chat-realtime/client';
import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';
import { Icon, type IconName } from './Icon.tsx';

const ICONS: Record<DeliveryState, IconName> = {
  sending: 'clock',
  sent: 'check',
  delivered: 'checks',
  read: 'checks',
  failed: 'alert',
};

export function Ticks({ state }: { state: DeliveryState }) {
  const { states } = useStore(useModel().texts);
  return (
    <span class={`ticks is-${state}`} role="img" aria-label={states[state]} title={states[state]}>
      <Icon name={ICONS[state]} size={15} />
    </span>
  );
}

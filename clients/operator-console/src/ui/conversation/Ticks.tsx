import type { DeliveryState } from '@chat-realtime/client/staff';
import { t } from '../../i18n/index.ts';

const PATHS: Readonly<Record<DeliveryState, string>> = {
  sending: 'M8 1.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM8 4v3.2l2 1.3',
  sent: 'm4 7.5 3 3 6-7',
  delivered: 'm1 7.5 3 3 6-7m-2.5 6 1 1 6-7',
  read: 'm1 7.5 3 3 6-7m-2.5 6 1 1 6-7',
  failed: 'M8 2v6m0 3v.5',
};

export function Ticks({ delivery }: { delivery: DeliveryState }) {
  return (
    <span
      class={`ticks ${delivery}`}
      role="img"
      aria-label={t().delivery[delivery]}
      title={t().delivery[delivery]}
      data-delivery={delivery}
    >
      <svg viewBox="0 0 16 14" width="16" height="14" aria-hidden="true">
        <path d={PATHS[delivery]} />
      </svg>
    </span>
  );
}

import { ui } from '../../state/desk.ts';
import { useStore } from '../../store.ts';
import { BanDialog } from './BanDialog.tsx';
import { HandoverDialog } from './HandoverDialog.tsx';
import { ShortcutsDialog } from './ShortcutsDialog.tsx';
import { TraceDialog } from './TraceDialog.tsx';
import { TransferDialog } from './TransferDialog.tsx';

export function Dialogs({ sessionId }: { sessionId: number | null }) {
  const dialog = useStore(ui, (state) => state.dialog);
  const traced = useStore(ui, (state) => state.traced);
  if (dialog === 'shortcuts') return <ShortcutsDialog />;
  if (dialog === 'handover') return <HandoverDialog />;
  if (sessionId === null) return null;
  if (dialog === 'ban') return <BanDialog sessionId={sessionId} />;
  if (dialog === 'trace' && traced !== null) return <TraceDialog sessionId={sessionId} messageId={traced} />;
  return dialog === 'transfer' ? <TransferDialog sessionId={sessionId} /> : null;
}

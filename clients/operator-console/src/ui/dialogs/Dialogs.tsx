import { ui } from '../../state/desk.ts';
import { useStore } from '../../state/store.ts';
import { HandoverDialog } from './HandoverDialog.tsx';
import { ShortcutsDialog } from './ShortcutsDialog.tsx';
import { TraceDialog } from './TraceDialog.tsx';
import { TransferDialog } from './TransferDialog.tsx';

export function Dialogs({ sessionId }: { sessionId: number | null }) {
  const dialog = useStore(ui, (state) => state.dialog);
  const traced = useStore(ui, (state) => state.traced);
  if (dialog === 'shortcuts') return <ShortcutsDialog />;
  if (dialog === 'handover') return <HandoverDialog />;
  if (dialog === 'trace' && sessionId !== null && traced !== null)
    return <TraceDialog sessionId={sessionId} messageId={traced} />;
  return dialog === 'transfer' && sessionId !== null ? <TransferDialog sessionId={sessionId} /> : null;
}

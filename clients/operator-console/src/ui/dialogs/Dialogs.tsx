import { ui } from '../../state/desk.ts';
import { useStore } from '../../state/store.ts';
import { HandoverDialog } from './HandoverDialog.tsx';
import { ShortcutsDialog } from './ShortcutsDialog.tsx';
import { TransferDialog } from './TransferDialog.tsx';

export function Dialogs({ sessionId }: { sessionId: number | null }) {
  const dialog = useStore(ui, (state) => state.dialog);
  if (dialog === 'shortcuts') return <ShortcutsDialog />;
  if (dialog === 'handover') return <HandoverDialog />;
  return dialog === 'transfer' && sessionId !== null ? <TransferDialog sessionId={sessionId} /> : null;
}

import { ui } from '../../state/desk.ts';
import { useStore } from '../../state/store.ts';
import { QuickRepliesDialog } from './QuickRepliesDialog.tsx';
import { ShortcutsDialog } from './ShortcutsDialog.tsx';
import { TransferDialog } from './TransferDialog.tsx';

export function Dialogs({ sessionId }: { sessionId: number | null }) {
  const dialog = useStore(ui, (state) => state.dialog);
  if (dialog === 'shortcuts') return <ShortcutsDialog />;
  if (dialog === 'quick-replies') return <QuickRepliesDialog />;
  return dialog === 'transfer' && sessionId !== null ? <TransferDialog sessionId={sessionId} /> : null;
}

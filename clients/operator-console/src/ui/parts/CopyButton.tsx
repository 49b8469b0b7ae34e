import { t } from '../../i18n/index.ts';
import { notify } from '../../state/desk.ts';
import { IconButton } from './IconButton.tsx';

export function CopyButton({ text }: { text: string }) {
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    notify(t().copied);
  };
  return <IconButton icon="copy" label={t().copy} class="tiny" onClick={() => void copy()} />;
}

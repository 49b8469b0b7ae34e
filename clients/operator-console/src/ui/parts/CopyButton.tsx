import { t } from '../../i18n/index.ts';
import { copyText } from '../../state/clipboard.ts';
import { notify } from '../../state/desk.ts';
import { IconButton } from './IconButton.tsx';

export function CopyButton({ text }: { text: string }) {
  const copy = async (): Promise<void> => {
    if (await copyText(text)) notify(t().copied);
    else notify(t().copyFailed, 'error');
  };
  return <IconButton icon="copy" label={t().copy} class="tiny" onClick={() => void copy()} />;
}

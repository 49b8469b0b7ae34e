import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';
import { formatDay } from '../texts/format.ts';

export function DaySeparator({ at }: { at: string }) {
  const model = useModel();
  const texts = useStore(model.texts);
  const { locale } = useStore(model.settings);
  return (
    <p class="day">
      <time dateTime={at}>{formatDay(at, locale, texts)}</time>
    </p>
  );
}

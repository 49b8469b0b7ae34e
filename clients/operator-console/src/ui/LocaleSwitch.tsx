import { t } from '../i18n/index.ts';
import { settings } from '../settings.ts';
import { useStore } from '../store.ts';

const NAMES = { ru: 'Русский', en: 'English' } as const;

export function LocaleSwitch() {
  const locale = useStore(settings, (state) => state.locale);
  return (
    <div class="segments" role="group" aria-label={t().language}>
      {(['ru', 'en'] as const).map((name) => (
        <button
          key={name}
          type="button"
          lang={name}
          aria-pressed={locale === name}
          onClick={() => settings.set({ locale: name })}
        >
          {NAMES[name]}
        </button>
      ))}
    </div>
  );
}

import { t } from '../../i18n/index.ts';
import { WIDGET_TEXT_MAX } from '../../limits.ts';
import { settings } from '../../settings.ts';
import { TEXT_NAMES, type TextName } from '../../names.ts';
import {
  type OwnText,
  type SavedTexts,
  type SettingsResponse,
  type TextLanguage,
  textKey,
} from '../../state/widget-settings.ts';

const LONG: ReadonlySet<TextName> = new Set(['greeting', 'offlineNote', 'callbackIntro', 'consent']);

interface TextFieldsProps {
  readonly texts: SavedTexts;
  readonly current: SettingsResponse;
  readonly language: TextLanguage;
  readonly ownText: OwnText;
  readonly onChange: (key: keyof SavedTexts, value: string) => void;
}

/** One language at a time. The grey text is shown while the field is empty. */
export function TextFields({ texts, current, language, ownText, onChange }: TextFieldsProps) {
  const shownWhenEmpty = (name: TextName): string => {
    const general = language === 'all' ? undefined : texts[name];
    const configured = current.settings.texts[textKey(name, language)] === undefined;
    const effective = configured ? current.effective.texts[textKey(name, language)] : undefined;
    return general ?? effective ?? ownText(name, language === 'all' ? settings.getState().locale : language);
  };
  return (
    <>
      {TEXT_NAMES.map((name) => {
        const key = textKey(name, language);
        const field = {
          name: key,
          value: texts[key] ?? '',
          maxLength: WIDGET_TEXT_MAX,
          dir: 'auto' as const,
          placeholder: shownWhenEmpty(name),
          onInput: (event: { readonly currentTarget: { readonly value: string } }) =>
            onChange(key, event.currentTarget.value),
        };
        return (
          <label key={name} class="field wide-field">
            {t().widgetTexts[name].label}
            {LONG.has(name) ? <textarea rows={2} {...field} /> : <input {...field} />}
          </label>
        );
      })}
    </>
  );
}

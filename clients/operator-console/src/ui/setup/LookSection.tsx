import { ChatClientError, type ConfigResponse } from '@chat-realtime/client/staff';
import { useRef, useState } from 'preact/hooks';
import { t, widgetOwnText } from '../../i18n/index.ts';
import { saveRules } from '../../state/administration.ts';
import { notify, settings } from '../../state/desk.ts';
import { isConflict, SeenSettings, type SettingsConflict } from '../../state/seen-settings.ts';
import {
  type OwnText,
  type SavedTexts,
  type SavedTheme,
  type SettingsResponse,
  type TextLanguage,
  withoutEmpty,
} from '../../state/widget-settings.ts';
import { useDesk } from '../context.ts';
import { ChangedMeanwhile } from '../manage/ChangedMeanwhile.tsx';
import { LookFields } from './LookFields.tsx';
import { TextFields } from './TextFields.tsx';
import { WidgetPreview } from './WidgetPreview.tsx';

interface LookSectionProps {
  readonly current: SettingsResponse;
  readonly config: ConfigResponse | null;
  readonly onSaved: (saved: SettingsResponse) => void;
}

/** The widget's look and texts, with a preview before they are saved. For admins. */
export function LookSection({ current, config, onSaved }: LookSectionProps) {
  const { desk } = useDesk();
  const [theme, setTheme] = useState<SavedTheme>(current.settings.theme);
  const [texts, setTexts] = useState<SavedTexts>(current.settings.texts);
  const [language, setLanguage] = useState<TextLanguage>(settings.getState().locale);
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const [conflict, setConflict] = useState<SettingsConflict | null>(null);
  const seen = useRef(new SeenSettings(current));

  // The configuration's reply time and consent are in Russian, and the widget shows them to Russian readers.
  const ownText: OwnText = (name, reader) => {
    // Outside opening hours it shows when somebody is back, which is not a text to edit.
    if (reader === 'ru' && name === 'replyTime' && config?.online === true) return config.reply_time_text;
    if (reader === 'ru' && name === 'consent') return config?.consent.text ?? '';
    return widgetOwnText(name, reader);
  };
  const show = (saved: SettingsResponse): void => {
    setConflict(null);
    setTheme(saved.settings.theme);
    setTexts(saved.settings.texts);
    onSaved(saved);
  };
  const save = async (): Promise<void> => {
    setBusy(true);
    setProblem('');
    try {
      const patch = { theme: withoutEmpty(theme), texts: withoutEmpty(texts) };
      const answer = await seen.current.save(patch, (sent) => saveRules(desk.client.api, sent));
      if (isConflict(answer)) return setConflict(answer);
      show(answer);
      notify(t().lookSaved);
    } catch (error) {
      if (!(error instanceof ChatClientError)) throw error;
      setProblem(
        error.code === 'forbidden' ? t().lookAdminOnly : error.status === 422 ? t().lookRefused : t().actionFailed,
      );
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      class="look"
      onSubmit={(event) => {
        event.preventDefault();
        if (conflict === null) void save();
      }}
    >
      <fieldset class="look-fields">
        <legend class="visually-hidden">{t().setupLook}</legend>
        <LookFields theme={theme} onChange={(part) => setTheme({ ...theme, ...part })} />
        <TextFields
          texts={texts}
          current={current}
          language={language}
          ownText={ownText}
          onChange={(key, value) => setTexts({ ...texts, [key]: value })}
        />
        <p class="problem" role="alert">
          {problem}
        </p>
        {conflict !== null && (
          <ChangedMeanwhile conflict={conflict} onTake={() => show(conflict.settings)} onKeep={() => void save()} />
        )}
        {conflict === null && (
          <div class="row-buttons">
            <button type="submit" class="primary" data-action="save-look" disabled={busy}>
              {t().save}
            </button>
          </div>
        )}
      </fieldset>
      <div class="look-side">
        <div class="segments" role="group" aria-label={t().textLanguage}>
          {(['ru', 'en', 'all'] as const).map((name) => (
            <button key={name} type="button" aria-pressed={language === name} onClick={() => setLanguage(name)}>
              {t().textLanguages[name]}
            </button>
          ))}
        </div>
        <WidgetPreview theme={theme} texts={texts} saved={current} config={config} language={language} />
      </div>
    </form>
  );
}

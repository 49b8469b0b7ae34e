import { t } from '../../i18n/index.ts';
import {
  type OwnText,
  type SavedTexts,
  type SavedTheme,
  type SettingsResponse,
  textFor,
  type TextLanguage,
  type TextName,
  textOn,
} from '../../state/widget-settings.ts';
import { settings } from '../../state/settings.ts';
import { Icon } from '../parts/Icon.tsx';

interface WidgetPreviewProps {
  readonly theme: SavedTheme;
  readonly texts: SavedTexts;
  readonly saved: SettingsResponse;
  readonly language: TextLanguage;
  /** What the widget shows where nothing is written. */
  readonly ownText: OwnText;
}

/** The panel as a visitor will see it, drawn from what stands in the fields. */
export function WidgetPreview({ theme, texts, saved, language, ownText }: WidgetPreviewProps) {
  const reader = language === 'all' ? settings.getState().locale : language;
  const configured = Object.fromEntries(
    Object.entries(saved.effective.texts).filter(([key]) => !(key in saved.settings.texts)),
  );
  const filledIn = Object.fromEntries(Object.entries(texts).filter(([, text]) => text.trim() !== ''));
  const words = (name: TextName): string =>
    textFor({ ...configured, ...filledIn }, name, reader) ?? ownText(name, reader);
  const accent = theme.accent !== undefined && /^#[0-9a-f]{6}$/i.test(theme.accent) ? theme.accent : '#3b5bdb';
  const onAccent = textOn(accent);
  const colours = { background: accent, color: onAccent };
  return (
    <figure class={`preview scheme-${theme.scheme ?? 'auto'}`} aria-label={t().preview} data-preview={reader}>
      <div class="preview-panel">
        <div class="preview-head" style={colours}>
          <span class="preview-face">
            <Icon name="person" />
          </span>
          <strong data-shows="title">{words('title')}</strong>
        </div>
        <div class="preview-body">
          <p data-shows="greeting">{words('greeting')}</p>
          {words('replyTime') !== '' && <p data-shows="replyTime">{words('replyTime')}</p>}
          <p class="preview-off" data-shows="offlineNote">
            <span>{t().previewOffline}</span>
            {words('offlineNote')}
          </p>
        </div>
        {words('consent') !== '' && <p class="preview-consent">{words('consent')}</p>}
        <div class="preview-field">
          <span>{words('placeholder')}</span>
          <span class="preview-send" style={colours}>
            <Icon name="send" />
          </span>
        </div>
      </div>
      <span class="preview-launcher" style={colours}>
        <Icon name="chats" />
      </span>
    </figure>
  );
}

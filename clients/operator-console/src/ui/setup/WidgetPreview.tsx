import type { ConfigResponse } from '@chat-realtime/client/staff';
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { settings } from '../../settings.ts';
import { type PreviewModule, previewConfig, type ShownWidget } from '../../state/widget-preview.ts';
import type { SavedTexts, SavedTheme, SettingsResponse, TextLanguage } from '../../state/widget-settings.ts';

interface WidgetPreviewProps {
  readonly theme: SavedTheme;
  readonly texts: SavedTexts;
  readonly saved: SettingsResponse;
  readonly config: ConfigResponse | null;
  readonly language: TextLanguage;
}

/** The widget itself with the values of the fields: what a visitor will see, now and outside opening hours. */
export function WidgetPreview({ theme, texts, saved, config, language }: WidgetPreviewProps) {
  const place = useRef<HTMLDivElement>(null);
  const [widget, setWidget] = useState<ShownWidget | null>(null);
  const [failed, setFailed] = useState(false);
  const [online, setOnline] = useState(true);
  const locale = language === 'all' ? settings.getState().locale : language;

  useEffect(() => {
    let mounted: ShownWidget | null = null;
    let gone = false;
    const address = new URL('../widget/v1/preview.js', document.baseURI).href;
    const loading = import(/* @vite-ignore */ address) as Promise<PreviewModule>;
    loading.then(
      ({ mountPreview }) => {
        if (gone || place.current === null) return;
        mounted = mountPreview(place.current);
        setWidget(mounted);
      },
      () => setFailed(true),
    );
    return () => {
      gone = true;
      mounted?.destroy();
    };
  }, []);
  useEffect(() => {
    if (config !== null) widget?.show(locale, previewConfig(config, saved, theme, texts, online));
  }, [widget, locale, config, saved, theme, texts, online]);

  return (
    <figure class="preview" aria-label={t().preview} data-preview={locale}>
      <div class="segments" role="group" aria-label={t().preview}>
        {[true, false].map((value) => (
          <button key={String(value)} type="button" aria-pressed={online === value} onClick={() => setOnline(value)}>
            {value ? t().previewOnline : t().previewOffline}
          </button>
        ))}
      </div>
      {failed && <p class="hint">{t().actionFailed}</p>}
      <div ref={place} class="preview-widget" />
    </figure>
  );
}

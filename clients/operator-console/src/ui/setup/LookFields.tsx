import { t } from '../../i18n/index.ts';
import type { SavedTheme } from '../../state/widget-settings.ts';

/** Colours that read well in both schemes. */
const SUGGESTED = ['#1f6feb', '#2f5d50', '#9c36b5', '#c2255c', '#e8590c', '#1a1d24'] as const;
/** The widget's own. */
const DEFAULT_ACCENT = '#1f6feb';
const SCHEMES = ['auto', 'light', 'dark'] as const;

interface LookFieldsProps {
  readonly theme: SavedTheme;
  readonly onChange: (part: Partial<Record<keyof SavedTheme, string>> & Partial<SavedTheme>) => void;
}

export function LookFields({ theme, onChange }: LookFieldsProps) {
  const accent = theme.accent ?? '';
  return (
    <>
      <div class="look-row">
        <label class="colour">
          <input
            type="color"
            aria-label={t().accentPick}
            value={/^#[0-9a-f]{6}$/i.test(accent) ? accent : DEFAULT_ACCENT}
            onInput={(event) => onChange({ accent: event.currentTarget.value })}
          />
        </label>
        <label class="field grow">
          {t().accent}
          <input
            name="accent"
            value={accent}
            placeholder={DEFAULT_ACCENT}
            maxLength={7}
            pattern="#[0-9a-fA-F]{6}"
            title={t().accentHint}
            spellcheck={false}
            onInput={(event) => onChange({ accent: event.currentTarget.value.trim() })}
          />
        </label>
        <div class="swatches" role="group" aria-label={t().accentSuggested}>
          {SUGGESTED.map((colour) => (
            <button
              key={colour}
              type="button"
              class="swatch"
              style={{ background: colour }}
              aria-label={colour}
              aria-pressed={accent.toLowerCase() === colour}
              onClick={() => onChange({ accent: colour })}
            />
          ))}
        </div>
      </div>
      <div class="field">
        <span id="scheme-label">{t().theme}</span>
        <div class="segments" role="group" aria-labelledby="scheme-label">
          {SCHEMES.map((scheme) => (
            <button
              key={scheme}
              type="button"
              aria-pressed={(theme.scheme ?? 'auto') === scheme}
              onClick={() => onChange({ scheme })}
            >
              {t().widgetSchemes[scheme]}
            </button>
          ))}
        </div>
      </div>
    </>
  );
}

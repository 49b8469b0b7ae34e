import { t } from '../../i18n/index.ts';
import type { DraftKind } from '../../state/drafts.ts';

/**
 * Writing to the wrong side is the classic accident: the two modes look different, and the choice is always visible.
 */
export function ModeTabs({ mode, onMode }: { mode: DraftKind; onMode: (mode: DraftKind) => void }) {
  return (
    <div class="mode-tabs" role="group" aria-label={t().modeLabel}>
      {(['reply', 'note'] as const).map((name) => (
        <button key={name} type="button" id={`mode-${name}`} aria-pressed={mode === name} onClick={() => onMode(name)}>
          {name === 'reply' ? t().reply : t().note}
        </button>
      ))}
    </div>
  );
}

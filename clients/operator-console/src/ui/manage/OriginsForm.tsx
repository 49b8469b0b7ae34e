import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { ORIGIN_MAX, ORIGINS_MAX } from '../../limits.ts';
import { originOf } from '../../state/origins.ts';
import { IconButton } from '../parts/IconButton.tsx';
import { RuleSection } from './RuleSection.tsx';
import type { RulesFormProps } from './rules-form.ts';

/** The sites that may embed the widget. */
export function OriginsForm({ rules, save }: RulesFormProps) {
  const { manage } = t();
  const words = manage.origins;
  const fixed = rules.fixed.includes('origins');
  const { origins } = rules.effective;
  const [rows, setRows] = useState<readonly string[]>(origins.length === 0 ? [''] : origins);
  const change = (index: number, text: string): void => setRows(rows.map((row, at) => (at === index ? text : row)));
  return (
    <RuleSection
      name="origins"
      fixed={fixed}
      saved={rules.saved.origins !== undefined}
      onSave={() => save({ origins: [...new Set(rows.flatMap((row) => originOf(row) ?? []))] })}
      onClear={() => save({ origins: null })}
    >
      <ul class="address-list" aria-label={manage.rules.origins.title}>
        {rows.map((row, index) => (
          // oxlint-disable-next-line no-array-index-key -- a row has no other name than its place
          <li key={index}>
            <input
              type="text"
              inputMode="url"
              name="origin"
              aria-label={words.line(index + 1)}
              placeholder="https://shop.example"
              value={row}
              maxLength={ORIGIN_MAX}
              pattern="\s*https?://[^\s\/]+\/?.*"
              title={words.rule}
              spellcheck={false}
              onInput={(event) => change(index, event.currentTarget.value)}
              // A complete address that was pasted is reduced to what a browser sends.
              onBlur={(event) => change(index, originOf(event.currentTarget.value) ?? event.currentTarget.value)}
            />
            {!fixed && rows.length > 1 && (
              <IconButton
                icon="close"
                class="tiny"
                label={words.remove(index + 1)}
                onClick={() => setRows(rows.filter((_, at) => at !== index))}
              />
            )}
          </li>
        ))}
      </ul>
      {!fixed && rows.length < ORIGINS_MAX && (
        <div class="row-buttons wrap">
          <button type="button" class="quiet" data-action="add-origin" onClick={() => setRows([...rows, ''])}>
            {words.add}
          </button>
        </div>
      )}
    </RuleSection>
  );
}

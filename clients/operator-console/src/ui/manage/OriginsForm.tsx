import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { originOf } from '../../state/origins.ts';
import { IconButton } from '../parts/IconButton.tsx';
import { RuleSection } from './RuleSection.tsx';
import type { RulesFormProps } from './rules-form.ts';

const ORIGINS_MAX = 50;

/** On which sites the widget may stand. */
export function OriginsForm({ rules, save }: RulesFormProps) {
  const { manage } = t();
  const words = manage.origins;
  const fixed = rules.fixed.includes('origins');
  const { origins } = rules.effective;
  const [lines, setLines] = useState<readonly string[]>(origins.length === 0 ? [''] : origins);
  const change = (index: number, text: string): void => setLines(lines.map((line, at) => (at === index ? text : line)));
  return (
    <RuleSection
      name="origins"
      fixed={fixed}
      saved={rules.saved.origins !== undefined}
      onSave={() => save({ origins: [...new Set(lines.flatMap((line) => originOf(line) ?? []))] })}
      onClear={() => save({ origins: null })}
    >
      <ul class="lines" aria-label={manage.rules.origins.title}>
        {lines.map((line, index) => (
          // oxlint-disable-next-line no-array-index-key -- a line has no other name than its place
          <li key={index}>
            <input
              type="text"
              inputMode="url"
              name="origin"
              aria-label={words.line(index + 1)}
              placeholder="https://shop.example"
              value={line}
              maxLength={255}
              pattern="\s*https?://[^\s\/]+\/?.*"
              title={words.rule}
              spellcheck={false}
              onInput={(event) => change(index, event.currentTarget.value)}
              // A whole address that was copied becomes what a browser sends.
              onBlur={(event) => change(index, originOf(event.currentTarget.value) ?? event.currentTarget.value)}
            />
            {!fixed && lines.length > 1 && (
              <IconButton
                icon="close"
                class="tiny"
                label={words.remove(index + 1)}
                onClick={() => setLines(lines.filter((_, at) => at !== index))}
              />
            )}
          </li>
        ))}
      </ul>
      {!fixed && lines.length < ORIGINS_MAX && (
        <div class="row-buttons wrap">
          <button type="button" class="quiet" data-action="add-origin" onClick={() => setLines([...lines, ''])}>
            {words.add}
          </button>
        </div>
      )}
    </RuleSection>
  );
}

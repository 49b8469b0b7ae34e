import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { FILE_KINDS, kindsOf, megabytesOf, otherTypes, toBytes } from '../../state/file-policy.ts';
import { RuleSection } from './RuleSection.tsx';
import type { RulesFormProps } from './rules-form.ts';

/** Which files are accepted, within the limits of the variables. */
export function AttachmentsForm({ rules, save }: RulesFormProps) {
  const { manage } = t();
  const words = manage.files;
  const { limit, ...now } = rules.effective.attachments;
  const saved = rules.saved.attachments;
  const isLimited = limit.types.length > 0;
  const offered = isLimited ? limit.types : FILE_KINDS;
  const [enabled, setEnabled] = useState(saved?.enabled ?? true);
  const [size, setSize] = useState(megabytesOf(now.max_bytes));
  const [all, setAll] = useState((saved?.types ?? []).length === 0);
  const [kinds, setKinds] = useState<readonly string[]>(kindsOf(now.types, offered));
  const [others, setOthers] = useState(otherTypes(now.types, offered).join(', '));
  const typed = others.split(/[\s,]+/).filter((type) => type !== '');
  const chosen = [...offered.filter((kind) => kinds.includes(kind)), ...(isLimited ? [] : typed)];
  const nameOf = (kind: string): string => words.kinds[kind] ?? kind;
  return (
    <RuleSection
      name="attachments"
      fixed={false}
      saved={saved !== undefined}
      onSave={() =>
        save({
          attachments: { enabled, max_bytes: toBytes(size, limit.max_bytes), ...(all ? {} : { types: chosen }) },
        })
      }
      onClear={() => save({ attachments: null })}
    >
      <label class="check">
        <input
          type="checkbox"
          name="enabled"
          checked={enabled}
          onChange={(event) => setEnabled(event.currentTarget.checked)}
        />
        {words.enabled}
      </label>
      {enabled && (
        <>
          <label class="narrow">
            {words.size}
            <input
              type="number"
              name="size"
              required
              step="any"
              min={0.01}
              max={megabytesOf(limit.max_bytes)}
              value={size}
              onInput={(event) => setSize(event.currentTarget.value)}
            />
            <span class="hint">{words.sizeLimit(megabytesOf(limit.max_bytes))}</span>
          </label>
          <label class="check">
            <input type="checkbox" name="all" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />
            {isLimited ? words.allOf(limit.types.map(nameOf).join(', ')) : words.all}
          </label>
          {isLimited && <p class="fixed">{words.typesLimit}</p>}
          {!all && (
            <fieldset class="kinds">
              <legend>{words.only}</legend>
              {offered.map((kind) => (
                <label key={kind} class="check">
                  <input
                    type="checkbox"
                    name={kind}
                    checked={kinds.includes(kind)}
                    required={chosen.length === 0}
                    onChange={({ currentTarget: { checked } }) =>
                      setKinds(checked ? [...kinds, kind] : kinds.filter((one) => one !== kind))
                    }
                  />
                  {nameOf(kind)}
                </label>
              ))}
              {!isLimited && (
                <label class="wide">
                  {words.others}
                  <input
                    name="others"
                    value={others}
                    spellcheck={false}
                    placeholder="application/zip, text/csv"
                    pattern="\s*([a-zA-Z0-9][a-zA-Z0-9.+\-]*/(\*|[a-zA-Z0-9][a-zA-Z0-9.+\-]*)[\s,]*)*"
                    title={words.othersRule}
                    onInput={(event) => setOthers(event.currentTarget.value)}
                  />
                </label>
              )}
            </fieldset>
          )}
        </>
      )}
    </RuleSection>
  );
}

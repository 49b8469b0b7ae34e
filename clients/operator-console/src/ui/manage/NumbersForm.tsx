import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { RuleSection } from './RuleSection.tsx';
import type { RulesFormProps } from './rules-form.ts';

const FIELDS = {
  alerts: ['waiting_seconds', 'reply_unseen_seconds', 'callback_due_minutes'],
  retention: ['messages', 'files', 'contacts', 'callbacks', 'alerts'],
  tokens: ['channel_seconds'],
} as const;
const LIMITS = {
  alerts: { min: 1, max: 86_400 },
  retention: { min: 0, max: 36_500 },
  tokens: { min: 60, max: 86_400 },
} as const;
/** For a field whose limit differs from its neighbours'. */
const MAX: Readonly<Record<string, number>> = { callback_due_minutes: 43_200 };

interface NumbersFormProps extends RulesFormProps {
  readonly part: keyof typeof FIELDS;
  readonly after?: ComponentChildren;
}

/** Whole numbers: times of alerts, days of retention. One that a variable fixes cannot be changed. */
export function NumbersForm({ part, rules, save, after }: NumbersFormProps) {
  const { manage } = t();
  const effective: Readonly<Record<string, number>> = rules.effective[part];
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const isFixed = (name: string): boolean => rules.fixed.includes(`${part}.${name}`) || rules.fixed.includes(part);
  const names: readonly string[] = FIELDS[part];
  const texts: Readonly<Record<string, string>> = manage.numbers[part];
  const onSave = async (): Promise<void> => {
    const before: Readonly<Record<string, number | undefined>> = rules.saved[part] ?? {};
    const next = names.flatMap((name) => {
      const typed = values[name];
      const value = typed === undefined ? before[name] : Number(typed);
      return isFixed(name) || value === undefined ? [] : [[name, value] as const];
    });
    await save({ [part]: Object.fromEntries(next) });
    setValues({});
  };
  return (
    <RuleSection
      name={part}
      fixed={names.every(isFixed)}
      saved={rules.saved[part] !== undefined}
      after={after}
      onSave={onSave}
      onClear={async () => {
        await save({ [part]: null });
        setValues({});
      }}
    >
      <div class="form-grid">
        {names.map((name) => (
          <label key={name}>
            {texts[name]}
            <input
              type="number"
              name={name}
              required
              {...LIMITS[part]}
              max={MAX[name] ?? LIMITS[part].max}
              disabled={isFixed(name)}
              value={values[name] ?? String(effective[name] ?? '')}
              onInput={(event) => setValues({ ...values, [name]: event.currentTarget.value })}
            />
            {isFixed(name) && <span class="fixed">{manage.fixedOne}</span>}
          </label>
        ))}
      </div>
    </RuleSection>
  );
}

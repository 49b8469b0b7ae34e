import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { NUMBERS } from '../../limits.ts';
import { RuleSection } from './RuleSection.tsx';
import type { RulesFormProps } from './rules-form.ts';

interface NumbersFormProps extends RulesFormProps {
  readonly part: keyof typeof NUMBERS;
  readonly after?: ComponentChildren;
}

/** Whole numbers: times of alerts, days of retention. One that a variable fixes cannot be changed. */
export function NumbersForm({ part, rules, save, after }: NumbersFormProps) {
  const { manage } = t();
  const effective: Readonly<Record<string, number>> = rules.effective[part];
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const isFixed = (name: string): boolean => rules.fixed.includes(`${part}.${name}`) || rules.fixed.includes(part);
  const ranges = Object.entries(NUMBERS[part]);
  const names = ranges.map(([name]) => name);
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
        {ranges.map(([name, range]) => (
          <label key={name}>
            {texts[name]}
            <input
              type="number"
              name={name}
              required
              {...range}
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

import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { Choice } from './Choice.tsx';
import { RuleSection } from './RuleSection.tsx';
import type { RulesFormProps } from './rules-form.ts';

const NAMES = ['name', 'email', 'phone', 'message'] as const;
const ASKS = ['no', 'may', 'must'] as const;
type Ask = (typeof ASKS)[number];

/** What is asked before a chat begins. */
export function PrechatForm({ rules, save }: RulesFormProps) {
  const { manage } = t();
  const [fields, setFields] = useState(rules.effective.prechat_fields);
  const askOf = (name: (typeof NAMES)[number]): Ask => {
    const field = fields.find((one) => one.name === name);
    return field === undefined ? 'no' : field.required ? 'must' : 'may';
  };
  const change = (name: (typeof NAMES)[number], ask: Ask): void =>
    setFields(
      NAMES.flatMap((one) => {
        const now = one === name ? ask : askOf(one);
        return now === 'no' ? [] : [{ name: one, required: now === 'must' }];
      }),
    );
  return (
    <RuleSection
      name="prechat_fields"
      fixed={rules.fixed.includes('prechat_fields')}
      saved={rules.saved.prechat_fields !== undefined}
      onSave={() => save({ prechat_fields: fields })}
      onClear={() => save({ prechat_fields: null })}
    >
      <div class="form-grid">
        {NAMES.map((name) => (
          <Choice
            key={name}
            label={manage.prechat[name]}
            name={`ask-${name}`}
            value={askOf(name)}
            options={ASKS.map((ask) => [ask, manage.asks[ask]] as const)}
            onChange={(ask) => change(name, ask)}
          />
        ))}
      </div>
    </RuleSection>
  );
}

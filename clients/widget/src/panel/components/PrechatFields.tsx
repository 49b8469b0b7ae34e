import type { ConfigResponse } from '@chat-realtime/client';
import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';
import type { PrechatErrors } from '../prechat.ts';
import { CustomFields } from './CustomFields.tsx';
import { Consent } from './Consent.tsx';
import { Field } from './Field.tsx';

const INPUTS = {
  name: { type: 'text', autocomplete: 'name' },
  email: { type: 'email', autocomplete: 'email' },
  phone: { type: 'tel', autocomplete: 'tel' },
} as const;

export function PrechatFields({ config, errors }: { config: ConfigResponse; errors: PrechatErrors }) {
  const model = useModel();
  const values = useStore(model.prechat);
  const texts = useStore(model.texts);
  return (
    <div class="prechat">
      {config.prechat_fields.map(({ name, required }) => {
        if (name === 'message') return null;
        const id = `chat-${name}`;
        return (
          <Field
            key={name}
            id={id}
            label={texts[name]}
            hint={required ? undefined : texts.optional}
            error={errors[name]}
          >
            <input
              id={id}
              name={name}
              {...INPUTS[name]}
              dir="auto"
              required={required}
              aria-invalid={errors[name] ? 'true' : undefined}
              aria-describedby={errors[name] && `${id}-error`}
              value={values[name]}
              onInput={({ currentTarget }) =>
                model.prechat.set({ ...model.prechat.getState(), [name]: currentTarget.value })
              }
            />
          </Field>
        );
      })}
      <CustomFields fields={config.custom_fields ?? []} errors={errors} />
      {config.consent.text !== '' && (
        <Consent
          id="chat-consent"
          consent={config.consent}
          checked={values.consent}
          error={errors['consent']}
          onChange={(consent) => model.prechat.set({ ...model.prechat.getState(), consent })}
        />
      )}
    </div>
  );
}

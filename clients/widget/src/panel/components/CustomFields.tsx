import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';
import { answerTo, type CustomField, type PrechatErrors, worded } from '../prechat.ts';
import { Field } from './Field.tsx';

/** The site's own questions, in its order. */
export function CustomFields({ fields, errors }: { fields: readonly CustomField[]; errors: PrechatErrors }) {
  return (
    <>
      {fields.map((field) => (
        <CustomInput key={field.name} field={field} error={errors[`answer-${field.name}`]} />
      ))}
    </>
  );
}

function CustomInput({ field, error }: { field: CustomField; error: string | undefined }) {
  const model = useModel();
  const { answers } = useStore(model.prechat);
  const { locale } = useStore(model.settings);
  const texts = useStore(model.texts);
  const name = `answer-${field.name}`;
  const id = `chat-${name}`;
  const label = worded(field.label, locale);
  const value = answerTo(field, answers);
  const change = (next: string | boolean): void => {
    const now = model.prechat.getState();
    model.prechat.set({ ...now, answers: { ...now.answers, [field.name]: next } });
  };
  const shared = {
    id,
    name,
    required: field.required,
    'aria-invalid': error ? ('true' as const) : undefined,
    'aria-describedby': error && `${id}-error`,
  };
  if (field.kind === 'checkbox')
    return (
      <div class={`consent${error ? ' is-invalid' : ''}`}>
        <label>
          <input
            type="checkbox"
            {...shared}
            checked={value === true}
            onChange={({ currentTarget }) => change(currentTarget.checked)}
          />
          <span dir="auto">{label}</span>
        </label>
        {error && (
          <p class="error" id={`${id}-error`}>
            {error}
          </p>
        )}
      </div>
    );
  return (
    <Field id={id} label={label} hint={field.required ? undefined : texts.optional} error={error}>
      {field.kind === 'text' ? (
        <input
          type="text"
          dir="auto"
          {...shared}
          // While the visitor is typing, trailing blanks stay.
          value={String(answers[field.name] ?? '')}
          onInput={({ currentTarget }) => change(currentTarget.value)}
        />
      ) : (
        <select
          dir="auto"
          {...shared}
          value={String(value)}
          onChange={({ currentTarget }) => change(currentTarget.value)}
        >
          <option value="">{texts.choose}</option>
          {field.options?.map((option) => (
            <option key={option.value} value={option.value}>
              {worded(option.label, locale)}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { OPTION_MAX, OPTIONS_MAX, QUESTION_MAX, QUESTIONS_MAX } from '../../limits.ts';
import { edited, type EditedField, FIELD_KINDS, LANGUAGES, nextName, toSave } from '../../state/custom-fields.ts';
import { IconButton } from '../parts/IconButton.tsx';
import { Choice } from './Choice.tsx';
import { RuleSection } from './RuleSection.tsx';
import type { RulesFormProps } from './rules-form.ts';

/** The site's own questions before a chat. */
export function CustomFieldsForm({ rules, save }: RulesFormProps) {
  const { manage } = t();
  const words = manage.customFields;
  const [fields, setFields] = useState<readonly EditedField[]>(() => edited(rules.effective.custom_fields));
  const change = (index: number, part: Partial<EditedField>): void =>
    setFields(fields.map((field, at) => (at === index ? { ...field, ...part } : field)));
  const move = (index: number, by: -1 | 1): void => {
    const next = [...fields];
    next.splice(index + by, 0, ...next.splice(index, 1));
    setFields(next);
  };
  const add = (): void => {
    const name = nextName(
      'q',
      [...fields, ...rules.effective.custom_fields].map((field) => field.name),
    );
    setFields([...fields, { name, kind: 'text', label: {}, required: false, options: [] }]);
  };
  return (
    <RuleSection
      name="custom_fields"
      fixed={rules.fixed.includes('custom_fields')}
      saved={rules.saved.custom_fields !== undefined}
      onSave={() => save({ custom_fields: toSave(fields) })}
      onClear={() => save({ custom_fields: null })}
    >
      {fields.length === 0 && <p class="hint">{words.none}</p>}
      <ol class="questions">
        {fields.map((field, index) => (
          <li key={field.name} data-field={field.name}>
            <FieldEditor field={field} number={index + 1} onChange={(part) => change(index, part)} />
            <div class="row-buttons wrap">
              <IconButton
                icon="up"
                label={words.earlier(index + 1)}
                disabled={index === 0}
                onClick={() => move(index, -1)}
              />
              <IconButton
                icon="down"
                label={words.later(index + 1)}
                disabled={index === fields.length - 1}
                onClick={() => move(index, 1)}
              />
              <button
                type="button"
                class="quiet"
                data-action="remove-question"
                aria-label={words.remove(index + 1)}
                onClick={() => setFields(fields.filter((_, at) => at !== index))}
              >
                {words.removeShort}
              </button>
            </div>
          </li>
        ))}
      </ol>
      {fields.length < QUESTIONS_MAX && (
        <div class="row-buttons wrap">
          <button type="button" class="quiet" data-action="add-question" onClick={add}>
            {words.add}
          </button>
        </div>
      )}
    </RuleSection>
  );
}

interface FieldEditorProps {
  readonly field: EditedField;
  readonly number: number;
  readonly onChange: (part: Partial<EditedField>) => void;
}

function FieldEditor({ field, number, onChange }: FieldEditorProps) {
  const { manage } = t();
  const words = manage.customFields;
  const { options } = field;
  const setOption = (index: number, label: EditedField['label']): void =>
    onChange({ options: options.map((option, at) => (at === index ? { ...option, label } : option)) });
  const withOption = (list: EditedField['options']): EditedField['options'] => [
    ...list,
    {
      value: nextName(
        'o',
        list.map(({ value }) => value),
      ),
      label: {},
    },
  ];
  return (
    <>
      <div class="form-grid">
        <Choice
          label={words.kind(number)}
          name="kind"
          value={field.kind}
          options={FIELD_KINDS.map((kind) => [kind, words.kinds[kind]] as const)}
          onChange={(kind) =>
            onChange({ kind, options: kind === 'choice' && options.length === 0 ? withOption([]) : options })
          }
        />
        {LANGUAGES.map((language) => (
          <label key={language}>
            {words.text[language]}
            <input
              name={`label-${language}`}
              lang={language}
              value={field.label[language] ?? ''}
              maxLength={QUESTION_MAX}
              required={LANGUAGES.every((one) => one === language || !field.label[one])}
              onInput={(event) => onChange({ label: { ...field.label, [language]: event.currentTarget.value } })}
            />
          </label>
        ))}
      </div>
      {field.kind === 'choice' && (
        <ul class="question-options" aria-label={words.options}>
          {options.map((option, index) => (
            <li key={option.value}>
              {LANGUAGES.map((language) => (
                <input
                  key={language}
                  name={`option-${language}`}
                  lang={language}
                  aria-label={words.option(index + 1, language)}
                  placeholder={words.option(index + 1, language)}
                  value={option.label[language] ?? ''}
                  maxLength={OPTION_MAX}
                  required={LANGUAGES.every((one) => one === language || !option.label[one])}
                  onInput={(event) => setOption(index, { ...option.label, [language]: event.currentTarget.value })}
                />
              ))}
              {options.length > 1 && (
                <IconButton
                  icon="close"
                  class="tiny"
                  label={words.removeOption(index + 1)}
                  onClick={() => onChange({ options: options.filter((_, at) => at !== index) })}
                />
              )}
            </li>
          ))}
          {options.length < OPTIONS_MAX && (
            <li>
              <button
                type="button"
                class="quiet"
                data-action="add-option"
                onClick={() => onChange({ options: withOption(options) })}
              >
                {words.addOption}
              </button>
            </li>
          )}
        </ul>
      )}
      <label class="check">
        <input
          type="checkbox"
          name="required"
          checked={field.required}
          onChange={(event) => onChange({ required: event.currentTarget.checked })}
        />
        {field.kind === 'checkbox' ? words.mustTick : words.must}
      </label>
    </>
  );
}

import { ChatClientError, type StaffSession } from '@chat-realtime/client/staff';
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { EMAIL_MAX, PERSON_NAME_MAX, PHONE_MAX } from '../../limits.ts';
import { notify } from '../../state/desk.ts';
import { useDesk } from '../context.ts';

interface ContactFormProps {
  readonly session: StaffSession;
  readonly onDone: () => void;
}

/** The contact as the operator has learned it. Only changed fields are sent: a colleague may change the others. */
export function ContactForm({ session, onDone }: ContactFormProps) {
  const { desk } = useDesk();
  const { contact } = session;
  const [values, setValues] = useState({
    name: contact.name ?? '',
    phone: contact.phone ?? '',
    email: contact.email ?? '',
  });
  const [saving, setSaving] = useState(false);
  const [refused, setRefused] = useState(false);

  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);

  const save = async (): Promise<void> => {
    setSaving(true);
    setRefused(false);
    try {
      const fields = (['name', 'phone', 'email'] as const).filter((field) => values[field] !== (contact[field] ?? ''));
      const change = Object.fromEntries(fields.map((field) => [field, values[field].trim() || null]));
      if (fields.length > 0) desk.inbox.upsert(await desk.client.api.changeContact(session.id, change));
      onDone();
    } catch (error) {
      if (!(error instanceof ChatClientError)) throw error;
      if (error.status === 422) setRefused(true);
      else notify(t().actionFailed, 'error');
    } finally {
      setSaving(false);
    }
  };
  const inputs = (
    [
      ['name', t().name, 'text', PERSON_NAME_MAX],
      ['phone', t().phone, 'tel', PHONE_MAX],
      ['email', t().email, 'email', EMAIL_MAX],
    ] as const
  ).filter(([field]) => desk.moves.contact.includes(field));
  return (
    <form
      class="contact-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      {inputs.map(([field, label, mode, most], index) => (
        <label key={field} class="field">
          {label}
          <input
            ref={index === 0 ? first : null}
            type="text"
            inputMode={mode}
            name={field}
            value={values[field]}
            maxLength={most}
            dir="auto"
            autocomplete="off"
            aria-invalid={refused && field === 'email'}
            onInput={(event) => {
              const { value } = event.currentTarget;
              setValues((before) => ({ ...before, [field]: value }));
            }}
          />
        </label>
      ))}
      {refused && (
        <p class="problem" role="alert">
          {t().contactRefused}
        </p>
      )}
      <div class="row-buttons">
        <button type="button" class="quiet" onClick={onDone}>
          {t().cancel}
        </button>
        <button type="submit" class="primary" disabled={saving}>
          {t().save}
        </button>
      </div>
    </form>
  );
}

import { ChatClientError } from '@chat-realtime/client';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';
import { isPhone } from '../prechat.ts';
import { Consent } from './Consent.tsx';
import { Field } from './Field.tsx';
import { Icon } from './Icon.tsx';

type Errors = Partial<Record<'phone' | 'time' | 'consent' | 'form', string>>;

/** Asks to be called back. What the visitor has already said about himself is not asked again. */
export function CallbackForm() {
  const model = useModel();
  const texts = useStore(model.texts);
  const config = useStore(model.config);
  const values = useStore(model.prechat);
  const [later, setLater] = useState(false);
  const [time, setTime] = useState('');
  const [comment, setComment] = useState('');
  const [errors, setErrors] = useState<Errors>({});
  const [state, setState] = useState<'asking' | 'sending' | 'done'>('asking');
  const form = useRef<HTMLFormElement>(null);
  const done = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (state === 'done') done.current?.focus();
  }, [state]);

  const judge = (): Errors => ({
    ...(!isPhone(values.phone) && { phone: texts.badPhone }),
    ...(later && !(Date.parse(time) > Date.now()) && { time: texts.badTime }),
    ...(!values.consent && { consent: texts.callbackConsentNeeded }),
  });
  const show = (found: Errors): void => {
    setErrors(found);
    const [first] = Object.entries(found);
    if (first === undefined) return;
    model.announcement.set(first[1]);
    form.current?.querySelector<HTMLElement>(`[name="${first[0]}"]`)?.focus();
  };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (state === 'sending') return;
    const found = judge();
    show(found);
    if (Object.keys(found).length > 0) return;
    setState('sending');
    const { name, phone } = values;
    try {
      const { id } = await model.client.requestCallback({
        phone,
        consent: { version: config?.consent.version ?? '', accepted: true },
        ...(name.trim() && { name: name.trim() }),
        ...(later && { preferred_at: new Date(time).toISOString() }),
        ...(comment.trim() && { comment: comment.trim() }),
      });
      setState('done');
      model.announcement.set(texts.callbackDone);
      model.host.emit('callback', { id });
    } catch (error) {
      setState('asking');
      model.failed(error);
      const code = error instanceof ChatClientError ? error.code : 'internal_error';
      if (code === 'validation_failed') show({ phone: texts.badPhone });
      else show({ form: code === 'rate_limited' ? texts.wait : texts.failed });
    }
  };
  const change = (part: Partial<typeof values>): void => model.prechat.set({ ...model.prechat.getState(), ...part });

  if (state === 'done') {
    return (
      <div class="done">
        <span class="done-icon">
          <Icon name="check" size={28} />
        </span>
        <p>{texts.callbackDone}</p>
        <button ref={done} type="button" class="primary" onClick={() => model.view.set('chat')}>
          {texts.back}
        </button>
      </div>
    );
  }
  return (
    <form ref={form} class="callback" noValidate onSubmit={(event) => void submit(event)}>
      <p>{texts.callbackIntro}</p>
      <Field id="callback-phone" label={texts.phone} error={errors.phone}>
        <input
          id="callback-phone"
          data-first
          name="phone"
          type="tel"
          autocomplete="tel"
          placeholder="+7 900 000-00-00"
          required
          aria-invalid={errors.phone ? 'true' : undefined}
          aria-describedby={errors.phone && 'callback-phone-error'}
          value={values.phone}
          onInput={({ currentTarget }) => change({ phone: currentTarget.value })}
        />
      </Field>
      <Field id="callback-name" label={texts.name} hint={texts.optional}>
        <input
          id="callback-name"
          name="name"
          autocomplete="name"
          maxLength={200}
          value={values.name}
          onInput={({ currentTarget }) => change({ name: currentTarget.value })}
        />
      </Field>
      <Field id="callback-when" label={texts.callbackWhen}>
        <select
          id="callback-when"
          value={later ? 'later' : 'soon'}
          onChange={({ currentTarget }) => setLater(currentTarget.value === 'later')}
        >
          <option value="soon">{texts.callbackSoon}</option>
          <option value="later">{texts.callbackAt}</option>
        </select>
      </Field>
      {later && (
        <Field id="callback-time" label={texts.callbackTime} error={errors.time}>
          <input
            id="callback-time"
            name="time"
            type="datetime-local"
            required
            aria-invalid={errors.time ? 'true' : undefined}
            aria-describedby={errors.time && 'callback-time-error'}
            value={time}
            onInput={({ currentTarget }) => setTime(currentTarget.value)}
          />
        </Field>
      )}
      <Field id="callback-comment" label={texts.callbackComment} hint={texts.optional}>
        <textarea
          id="callback-comment"
          rows={2}
          maxLength={2_000}
          value={comment}
          onInput={({ currentTarget }) => setComment(currentTarget.value)}
        />
      </Field>
      {config !== null && (
        <Consent
          id="callback-consent"
          consent={config.consent}
          checked={values.consent}
          error={errors.consent}
          onChange={(consent) => change({ consent })}
        />
      )}
      {errors.form && <p class="error">{errors.form}</p>}
      <button type="submit" class="primary" aria-disabled={state === 'sending' ? 'true' : 'false'}>
        {texts.callbackSend}
      </button>
    </form>
  );
}

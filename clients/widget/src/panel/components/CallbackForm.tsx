import { ChatClientError } from '@chat-realtime/client';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';
import { COMMENT_MAX, FIELD_MAX, tooLong } from '../limits.ts';
import type { CallbackValues } from '../form-values.ts';
import { isPhone } from '../prechat.ts';
import { formatMoment } from '../texts/format.ts';
import { Consent } from './Consent.tsx';
import { Field } from './Field.tsx';
import { Icon } from './Icon.tsx';

type Errors = Partial<Record<'phone' | 'name' | 'time' | 'comment' | 'consent' | 'form', string>>;

/** The callback request. It does not ask again for what the visitor has already given. */
export function CallbackForm() {
  const model = useModel();
  const texts = useStore(model.texts);
  const config = useStore(model.config);
  const { locale } = useStore(model.settings);
  const values = useStore(model.prechat);
  const wish = useStore(model.callback);
  const { time, comment } = wish;
  const later = wish.later && model.calls.atTime;
  const [errors, setErrors] = useState<Errors>({});
  const [state, setState] = useState<'asking' | 'sending' | 'done'>('asking');
  const form = useRef<HTMLFormElement>(null);
  const back = useRef<HTMLButtonElement>(null);
  const [done, setDone] = useState('');
  useEffect(() => {
    if (state === 'done') back.current?.focus();
  }, [state]);

  const judge = (): Errors => ({
    ...(!isPhone(values.phone) && { phone: texts.badPhone }),
    ...(later && !(Date.parse(time) > Date.now()) && { time: texts.badTime }),
    ...(tooLong(comment, COMMENT_MAX) !== null && {
      comment: texts.tooLong(tooLong(comment, COMMENT_MAX) ?? 0, COMMENT_MAX),
    }),
    ...(tooLong(values.name, FIELD_MAX.name) !== null && {
      name: texts.tooLong(tooLong(values.name, FIELD_MAX.name) ?? 0, FIELD_MAX.name),
    }),
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
      const said = promise();
      setDone(said);
      setState('done');
      model.announcement.set(said);
      model.callback.set({ later: false, time: '', comment: '' });
      model.host.emit('callback', { id });
    } catch (error) {
      setState('asking');
      model.failed(error);
      const code = error instanceof ChatClientError ? error.code : 'internal_error';
      if (code === 'validation_failed') show({ phone: texts.badPhone });
      else show({ form: code === 'rate_limited' ? texts.wait : texts.failed });
    }
  };
  /** Which number will be called, and by when. */
  const promise = (): string => {
    const when = later
      ? formatMoment(new Date(time).toISOString(), locale, texts)
      : config?.reopens_at && !config.online
        ? texts.callbackAfter(formatMoment(config.reopens_at, locale, texts))
        : texts.callbackShortly;
    return texts.callbackDone(values.phone.trim().replaceAll(/\s/g, '\u00a0'), when);
  };
  const wishes = (part: Partial<CallbackValues>): void => model.callback.set({ ...model.callback.getState(), ...part });
  const change = (part: Partial<typeof values>): void => model.prechat.set({ ...model.prechat.getState(), ...part });

  if (state === 'done') {
    return (
      <div class="callback-done">
        <span class="callback-done-icon">
          <Icon name="check" size={28} />
        </span>
        <p dir="auto">{done}</p>
        <button ref={back} type="button" class="primary" onClick={() => model.view.set('chat')}>
          {texts.back}
        </button>
      </div>
    );
  }
  return (
    <form ref={form} class="callback" noValidate onSubmit={(event) => void submit(event)}>
      <p dir="auto">{texts.callbackIntro}</p>
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
      <Field id="callback-name" label={texts.name} hint={texts.optional} error={errors.name}>
        <input
          id="callback-name"
          name="name"
          autocomplete="name"
          dir="auto"
          aria-invalid={errors.name ? 'true' : undefined}
          aria-describedby={errors.name && 'callback-name-error'}
          value={values.name}
          onInput={({ currentTarget }) => change({ name: currentTarget.value })}
        />
      </Field>
      {model.calls.atTime && (
        <Field id="callback-when" label={texts.callbackWhen}>
          <select
            id="callback-when"
            value={later ? 'later' : 'soon'}
            onChange={({ currentTarget }) => wishes({ later: currentTarget.value === 'later' })}
          >
            <option value="soon">{texts.callbackSoon}</option>
            <option value="later">{texts.callbackAt}</option>
          </select>
        </Field>
      )}
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
            onInput={({ currentTarget }) => wishes({ time: currentTarget.value })}
          />
        </Field>
      )}
      <Field id="callback-comment" label={texts.callbackComment} hint={texts.optional} error={errors.comment}>
        <textarea
          id="callback-comment"
          rows={2}
          name="comment"
          dir="auto"
          aria-invalid={errors.comment ? 'true' : undefined}
          aria-describedby={errors.comment && 'callback-comment-error'}
          value={comment}
          onInput={({ currentTarget }) => wishes({ comment: currentTarget.value })}
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

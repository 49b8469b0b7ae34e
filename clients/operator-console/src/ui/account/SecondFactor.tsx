import { ChatClientError } from '@chat-realtime/client/staff';
import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { PASSWORD_MAX } from '../../limits.ts';
import { beginTotp, confirmTotp, endTotp, type OwnAccount, type TotpSetup } from '../../state/administration.ts';
import { notify } from '../../state/desk.ts';
import { useDesk } from '../context.ts';
import { Problem } from '../manage/Page.tsx';
import { QrCode } from '../parts/QrCode.tsx';
import { CodeBlock } from '../parts/CodeBlock.tsx';
import { refusalOf, useTask } from '../use-task.ts';

type Step =
  | { readonly kind: 'idle' }
  /** The sign-in is no longer recent. */
  | { readonly kind: 'password' }
  | { readonly kind: 'confirm'; readonly setup: TotpSetup }
  | { readonly kind: 'codes'; readonly codes: readonly string[] }
  | { readonly kind: 'end' };

const IDLE: Step = { kind: 'idle' };

interface SecondFactorProps {
  readonly account: OwnAccount;
  readonly onChanged: () => Promise<void>;
}

/** A code from the phone in addition to the password, and recovery codes for the day it is lost. */
export function SecondFactor({ account, onChanged }: SecondFactorProps) {
  const { desk } = useDesk();
  const { manage } = t();
  const [step, setStep] = useState<Step>(IDLE);
  const words = (error: ChatClientError): string => {
    if (error.status !== 422) return refusalOf(error);
    return step.kind === 'password' ? manage.oldPasswordWrong : manage.codeWrong;
  };
  const { busy, problem, run, setProblem } = useTask(words);
  const go = (next: Step): void => {
    setProblem('');
    setStep(next);
  };
  const begin = (): void =>
    void run(async () => {
      try {
        go({ kind: 'confirm', setup: await beginTotp(desk.client.api) });
      } catch (error) {
        if (!(error instanceof ChatClientError) || error.status !== 422) throw error;
        go({ kind: 'password' });
      }
    });
  const prove = (password: string): void =>
    void run(async () => go({ kind: 'confirm', setup: await beginTotp(desk.client.api, password) }));
  const confirm = (code: string): void =>
    void run(async () => {
      const { recovery_codes } = await confirmTotp(desk.client.api, code);
      go({ kind: 'codes', codes: recovery_codes });
      await onChanged();
    });
  const end = (code: string): void =>
    void run(async () => {
      await endTotp(desk.client.api, code);
      go(IDLE);
      await onChanged();
      notify(manage.factorOff);
    });
  return (
    <section data-section="second-factor" data-on={account.second_factor}>
      <h2>{manage.secondFactor}</h2>
      <p class="hint">{account.second_factor ? manage.factorOn(account.recovery_codes_left) : manage.factorHint}</p>
      <div class="panel">
        {step.kind === 'idle' && (
          <div class="row-buttons">
            {account.second_factor ? (
              <button type="button" class="quiet" data-action="end-factor" onClick={() => go({ kind: 'end' })}>
                {manage.endFactor}
              </button>
            ) : (
              <button type="button" class="primary" data-action="begin-factor" disabled={busy} onClick={begin}>
                {manage.beginFactor}
              </button>
            )}
          </div>
        )}
        {step.kind === 'password' && (
          <SecretForm
            name="current"
            label={manage.currentPassword}
            hint={manage.factorPasswordHint}
            button={manage.beginFactor}
            busy={busy}
            onSecret={prove}
            onCancel={() => go(IDLE)}
          />
        )}
        {step.kind === 'confirm' && (
          <>
            <p>{manage.scan}</p>
            <QrCode text={step.setup.otpauth_url} label={manage.qr} />
            <p class="hint">{manage.secretHint}</p>
            <CodeBlock label={manage.secretHint} code={step.setup.secret} />
            <SecretForm
              name="code"
              label={manage.code}
              button={manage.turnOn}
              busy={busy}
              onSecret={confirm}
              onCancel={() => go(IDLE)}
            />
          </>
        )}
        {step.kind === 'codes' && (
          <>
            <p>
              <strong>{manage.recoveryTitle}</strong>
            </p>
            <p class="hint">{manage.recoveryHint}</p>
            <CodeBlock label={manage.recoveryTitle} code={step.codes.join('\n')} />
            <div class="row-buttons">
              <button type="button" class="primary" data-action="codes-kept" onClick={() => go(IDLE)}>
                {manage.codesKept}
              </button>
            </div>
          </>
        )}
        {step.kind === 'end' && (
          <SecretForm
            name="code"
            label={manage.codeToEnd}
            button={manage.endFactor}
            busy={busy}
            onSecret={end}
            onCancel={() => go(IDLE)}
          />
        )}
        <Problem text={problem} />
      </div>
    </section>
  );
}

interface SecretFormProps {
  readonly name: 'code' | 'current';
  readonly label: string;
  readonly hint?: string;
  readonly button: string;
  readonly busy: boolean;
  readonly onSecret: (secret: string) => void;
  readonly onCancel: () => void;
}

/** One proof to enter: a code, or the password. */
function SecretForm({ name, label, hint, button, busy, onSecret, onCancel }: SecretFormProps) {
  const [secret, setSecret] = useState('');
  const isCode = name === 'code';
  const field = {
    name,
    value: secret,
    required: true,
    autocapitalize: 'none',
    spellcheck: false,
    autofocus: true,
    onInput: (event: { readonly currentTarget: HTMLInputElement }) => setSecret(event.currentTarget.value),
  } as const;
  return (
    <form
      class="form"
      aria-label={label}
      onSubmit={(event) => {
        event.preventDefault();
        onSecret(isCode ? secret.trim() : secret);
      }}
    >
      {hint !== undefined && <p class="hint">{hint}</p>}
      <label class="narrow">
        {label}
        {isCode ? (
          <input {...field} type="text" maxLength={40} autocomplete="one-time-code" />
        ) : (
          <input {...field} type="password" maxLength={PASSWORD_MAX} autocomplete="current-password" />
        )}
      </label>
      <div class="row-buttons">
        <button type="button" class="quiet" onClick={onCancel}>
          {t().cancel}
        </button>
        <button type="submit" class="primary" data-action={isCode ? 'send-code' : 'send-password'} disabled={busy}>
          {button}
        </button>
      </div>
    </form>
  );
}

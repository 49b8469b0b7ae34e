import type { ComponentChildren } from 'preact';
import { useContext, useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { refusalOf, useTask } from '../use-task.ts';
import { ChangedMeanwhile } from './ChangedMeanwhile.tsx';
import { Problem } from './Page.tsx';
import { RulesEdit } from './rules-form.ts';

interface RuleSectionProps {
  readonly name:
    | 'schedule'
    | 'prechat_fields'
    | 'custom_fields'
    | 'consent'
    | 'alerts'
    | 'webhook'
    | 'attachments'
    | 'retention'
    | 'origins'
    | 'tokens';
  /** The variable that fixes all of it. */
  readonly fixed: boolean;
  /** Something was saved here, and can be cleared. */
  readonly saved: boolean;
  readonly onSave: () => Promise<void>;
  readonly onClear: () => Promise<void>;
  readonly children: ComponentChildren;
  /** Below the form, and not disabled with it. */
  readonly after?: ComponentChildren;
}

const VARIABLES = {
  schedule: 'CHAT_SCHEDULE',
  prechat_fields: 'CHAT_WIDGET',
  custom_fields: 'CHAT_WIDGET',
  consent: 'CHAT_WIDGET',
  alerts: 'ALERT_WAITING_SECONDS, REPLY_UNSEEN_SECONDS, CALLBACK_DUE_MINUTES',
  webhook: 'ALERT_WEBHOOK_URLS',
  attachments: 'ATTACHMENT_TYPES',
  retention: 'RETENTION_DAYS_*',
  origins: 'ALLOWED_ORIGINS',
  tokens: 'CHANNEL_TOKEN_TTL_SECONDS',
} as const;

/**
 * A part of the settings that is saved separately. A value from the environment is shown and cannot be changed here.
 */
export function RuleSection({ name, fixed, saved, onSave, onClear, children, after }: RuleSectionProps) {
  const { manage } = t();
  const { busy, problem, run } = useTask((error) => (error.code === 'stale' ? '' : refusalOf(error)));
  const { conflict, take } = useContext(RulesEdit);
  const [last, setLast] = useState<'save' | 'clear'>('save');
  const attempt = (action: 'save' | 'clear'): void => {
    setLast(action);
    void run(action === 'save' ? onSave : onClear);
  };
  const concerned = conflict !== null && conflict.parts.includes(name) ? conflict : null;
  return (
    <section data-section={name}>
      <h2>{manage.rules[name].title}</h2>
      <p class="hint">{manage.rules[name].hint}</p>
      {fixed && <p class="fixed">{manage.fixed(VARIABLES[name])}</p>}
      <form
        class="panel form"
        aria-label={manage.rules[name].title}
        onSubmit={(event) => {
          event.preventDefault();
          if (concerned === null) attempt('save');
        }}
      >
        <fieldset disabled={fixed || busy}>
          <legend class="visually-hidden">{manage.rules[name].title}</legend>
          {children}
          <Problem text={problem} />
          {concerned !== null && <ChangedMeanwhile conflict={concerned} onTake={take} onKeep={() => attempt(last)} />}
          {!fixed && concerned === null && (
            <div class="row-buttons">
              {saved && (
                <button type="button" class="quiet" data-action="clear" onClick={() => attempt('clear')}>
                  {manage.clear}
                </button>
              )}
              <button type="submit" class="primary" data-action="save">
                {t().save}
              </button>
            </div>
          )}
        </fieldset>
      </form>
      {after}
    </section>
  );
}

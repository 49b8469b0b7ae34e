import { ChatClientError } from '@chat-realtime/client/staff';
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { REPLY_TEXT_MAX, REPLY_TITLE_MAX, SHORTCUT, SHORTCUT_MAX } from '../../limits.ts';
import { type NewQuickReply, type QuickReply, VARIABLES } from '../../state/quick-replies.ts';
import { useDesk } from '../context.ts';

const EMPTY: NewQuickReply = { shortcut: '', title: '', text: '' };

type Problem = { readonly field: 'shortcut' | 'form'; readonly text: string };

function problemOf(error: ChatClientError): Problem {
  if (error.code === 'shortcut_taken') return { field: 'shortcut', text: t().shortcutTaken };
  if (error.code === 'quick_reply_not_found') return { field: 'form', text: t().replyGone };
  return { field: 'form', text: error.code === 'validation_failed' ? t().replyRefused : t().actionFailed };
}

export function ReplyForm({ reply, onDone }: { reply: QuickReply | null; onDone: () => void }) {
  const { desk } = useDesk();
  const [{ shortcut, title, text }, setValues] = useState<NewQuickReply>(reply ?? EMPTY);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => first.current?.focus(), []);

  const change = (part: Partial<NewQuickReply>): void => {
    setValues({ shortcut, title, text, ...part });
    setProblem(null);
  };
  const insert = (variable: string): void => {
    const { selectionStart = text.length, selectionEnd = text.length } = area.current ?? {};
    change({ text: `${text.slice(0, selectionStart)}{{${variable}}}${text.slice(selectionEnd)}` });
    area.current?.focus();
  };
  const save = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const values = { shortcut: shortcut.trim(), title: title.trim(), text: text.trim() };
    if (!SHORTCUT.test(values.shortcut)) {
      setProblem({ field: 'shortcut', text: t().shortcutBad });
      first.current?.focus();
      return;
    }
    setBusy(true);
    try {
      if (reply === null) await desk.quickReplies.add(values);
      else await desk.quickReplies.change(reply.id, values);
      onDone();
    } catch (error) {
      if (!(error instanceof ChatClientError)) throw error;
      const found = problemOf(error);
      setProblem(found);
      setBusy(false);
      if (found.field === 'shortcut') first.current?.focus();
      if (error.code === 'quick_reply_not_found') void desk.quickReplies.load();
    }
  };
  return (
    <form class="reply-form" aria-label={reply?.title ?? t().addQuickReply} onSubmit={(event) => void save(event)}>
      <div class="reply-fields">
        <label>
          {t().quickReplyKey}
          <input
            ref={first}
            name="shortcut"
            value={shortcut}
            maxLength={SHORTCUT_MAX}
            required
            autocapitalize="none"
            spellcheck={false}
            aria-invalid={problem?.field === 'shortcut'}
            aria-describedby="reply-problem"
            onInput={(event) => change({ shortcut: event.currentTarget.value.replace(/[\s/]/g, '') })}
          />
        </label>
        <label>
          {t().quickReplyTitle}
          <input
            name="title"
            value={title}
            maxLength={REPLY_TITLE_MAX}
            required
            onInput={(event) => change({ title: event.currentTarget.value })}
          />
        </label>
      </div>
      <label>
        {t().quickReplyText}
        <textarea
          ref={area}
          name="text"
          rows={4}
          dir="auto"
          value={text}
          maxLength={REPLY_TEXT_MAX}
          required
          onInput={(event) => change({ text: event.currentTarget.value })}
        />
      </label>
      <div class="reply-variables" role="group" aria-label={t().insertVariable}>
        {VARIABLES.map((variable) => (
          <button key={variable} type="button" class="quiet small" onClick={() => insert(variable)}>
            {`{{${variable}}}`} <span>{t().variables[variable]}</span>
          </button>
        ))}
      </div>
      <p id="reply-problem" class="problem" role="alert">
        {problem?.text ?? ''}
      </p>
      <div class="row-buttons">
        <button type="button" class="quiet" onClick={onDone}>
          {t().cancel}
        </button>
        <button type="submit" class="primary" disabled={busy}>
          {t().save}
        </button>
      </div>
    </form>
  );
}

import { pageUrl } from '@chat-realtime/client/links';
import {
  ChatClientError,
  type StaffConversation,
  type StaffEvent,
  type StaffSession,
} from '@chat-realtime/client/staff';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { MESSAGE_MAX } from '../../limits.ts';
import { Uploads, type UploadProblem } from '../../state/composer.ts';
import {
  bodyLength,
  onCompose,
  onTouchScreen,
  pastedFiles,
  sendOf,
  takeStep,
  typeInto,
} from '../../state/composing.ts';
import type { DraftKind } from '../../state/drafts.ts';
import { drafts, notify } from '../../state/desk.ts';
import { fileLimits, readFileLimits } from '../../state/file-limits.ts';
import { filled, type QuickReply } from '../../state/quick-replies.ts';
import { settings } from '../../settings.ts';
import { isTyping } from '../../state/shortcuts.ts';
import { missedOf } from '../../state/stale.ts';
import { useStore } from '../../store.ts';
import { useDesk } from '../context.ts';
import { Icon } from '../parts/Icon.tsx';
import { IconButton } from '../parts/IconButton.tsx';
import { ModeTabs } from './ModeTabs.tsx';
import { QuickReplyMenu } from './QuickReplyMenu.tsx';
import { StalePanel } from './StalePanel.tsx';
import { UploadList } from './UploadList.tsx';
import { hasBlockedBot } from './use-telegram.ts';

interface ComposerProps {
  readonly conversation: StaffConversation;
  readonly session: StaffSession;
}
interface Missed {
  readonly lastSeq: number;
  readonly events: readonly StaffEvent[];
  readonly andNext: boolean;
}

const megabytes = (bytes: number): number => Math.round((bytes / 1_048_576) * 100) / 100;

function sayProblem(problem: UploadProblem, name: string, allowed: readonly string[]): void {
  const texts = {
    too_big: t().fileTooBig(name, megabytes(fileLimits.getState().maxBytes)),
    off: t().filesOff,
    refused: t().fileRefused(name, allowed.join(', ')),
    failed: t().uploadFailed(name),
    too_many: t().tooManyFiles(fileLimits.getState().perMessage),
  };
  notify(texts[problem], 'error');
}

/** The state that was known when the text was begun: a colleague's later action stops the send. */
const begunAt = new Map<number, number>();

export function Composer({ conversation, session }: ComposerProps) {
  const { desk, actions } = useDesk();
  const { id } = session;
  const [mode, setMode] = useState<DraftKind>('reply');
  const [text, setText] = useState(() => drafts.get(id, 'reply'));
  const [missed, setMissed] = useState<Missed | null>(null);
  const [saving, setSaving] = useState(false);
  const [dropping, setDropping] = useState(false);
  /** The list of quick replies was opened beside a text, which stays as it is. */
  const [picking, setPicking] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const uploads = useMemo(() => new Uploads(desk.client.api, id, sayProblem), [desk, id]);
  const files = useStore(uploads, (state) => state.list);
  const limits = useStore(fileLimits, (state) => state);
  const sendBy = useStore(settings, (state) => state.sendBy);
  const closed = session.status === 'closed';
  const length = bodyLength(text);
  const tooLong = length > MESSAGE_MAX;
  const foreign = session.assigned_user_id !== null && session.assigned_user_id !== desk.user.id;

  const write = (value: string): void => {
    setText(value);
    setPicking(false);
    drafts.set(id, mode, value);
    if (mode !== 'reply') return;
    conversation.setTyping(value.trim() !== '');
    if (value.trim() === '') begunAt.delete(id);
    else if (!begunAt.has(id)) begunAt.set(id, conversation.getState().seq);
  };
  const focus = (): void => {
    if (field.current !== null) field.current.focus();
    else requestAnimationFrame(() => field.current?.focus());
  };
  const switchTo = (next: DraftKind): void => {
    setMode(next);
    setPicking(false);
    setText(drafts.get(id, next));
    focus();
  };

  useEffect(() => {
    const off = onCompose((wish) => (wish === 'focus' ? focus() : switchTo(wish)));
    return () => {
      off();
      uploads.clear();
      conversation.setTyping(false);
    };
  }, [id]);
  useEffect(() => void readFileLimits(desk.client.api), [desk, id]);
  // After opening a chat the operator writes next. Without the focus here the letters would act as shortcuts.
  useEffect(() => {
    if (takeStep(id) || closed || onTouchScreen() || isTyping(document.activeElement)) return;
    field.current?.focus({ preventScroll: true });
  }, [closed]);
  // Grows with its text up to a third of the window.
  useEffect(() => {
    const element = field.current;
    if (element === null) return;
    element.style.height = 'auto';
    element.style.height = `${Math.min(element.scrollHeight + 2, window.innerHeight / 3)}px`;
  }, [text, mode, closed]);

  const saveNote = async (): Promise<void> => {
    setSaving(true);
    try {
      await desk.client.api.addNote(id, text);
      // Text written in the meantime is the beginning of another message.
      if (drafts.get(id, 'note') === text) {
        drafts.set(id, 'note', '');
        switchTo('reply');
      }
    } catch (error) {
      if (!(error instanceof ChatClientError)) throw error;
      notify(t().actionFailed, 'error');
    } finally {
      setSaving(false);
    }
  };

  const send = (andNext: boolean, expectedSeq = begunAt.get(id) ?? conversation.getState().seq): void => {
    const body = text;
    const attachments = uploads.ready;
    const sent = conversation.send(body, { attachments, expectedSeq });
    write('');
    uploads.clear();
    setMissed(null);
    sent.stored
      .then(() => andNext && actions.next())
      .catch((error: unknown) => {
        if (!(error instanceof ChatClientError) || error.code !== 'stale') return;
        // The text returns to the field; the reason for the stop is shown above.
        const entry = conversation.getState().messages.find((one) => one.client_message_id === sent.clientMessageId);
        if (entry !== undefined) conversation.discard(entry.key);
        const { lastSeq, events } = missedOf(error.details, expectedSeq);
        drafts.set(id, 'reply', [body, drafts.get(id, 'reply')].filter((part) => part !== '').join('\n\n'));
        begunAt.set(id, lastSeq);
        uploads.restore(attachments);
        setMissed({ lastSeq, events, andNext });
        switchTo('reply');
      });
  };
  const submit = (andNext: boolean): void => {
    if (saving || tooLong || uploads.busy || (text.trim() === '' && (mode === 'note' || uploads.ready.length === 0)))
      return;
    if (mode === 'note') void saveNote();
    else send(andNext, missed?.lastSeq);
    if (!onTouchScreen()) field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && picking) {
      event.preventDefault();
      setPicking(false);
      return;
    }
    const what = sendOf(event, { sendBy, touch: onTouchScreen() });
    if (what === null) return;
    event.preventDefault();
    submit(what === 'sendNext');
  };
  const withNames = (reply: QuickReply): string =>
    filled(reply.text, {
      name: session.contact.name,
      operator: desk.user.name,
      site: (session.page_url === null ? null : pageUrl(session.page_url)?.host) ?? location.host,
    });
  const insert = (reply: QuickReply): void => {
    const element = field.current;
    if (element === null) return;
    const { value, selectionStart, selectionEnd } = element;
    if (value.startsWith('/') && !picking) return typeInto(element, withNames(reply), 0, value.length);
    const gap = selectionStart > 0 && !/\s/.test(value.charAt(selectionStart - 1)) ? ' ' : '';
    typeInto(element, gap + withNames(reply), selectionStart, selectionEnd);
  };
  const pick = (): void => {
    if (text === '') write('/');
    else setPicking(!picking);
    field.current?.focus();
  };

  if (closed && mode === 'reply') {
    return (
      <footer class="composer shut">
        <p>{desk.moves.reopen ? t().closedComposer : t().closedAtSite}</p>
        <button type="button" class="quiet" onClick={() => switchTo('note')}>
          {t().note}
        </button>
        {desk.moves.reopen && (
          <button type="button" class="primary" onClick={() => void actions.reopen(id)}>
            {t().reopen}
          </button>
        )}
      </footer>
    );
  }
  return (
    <footer
      class={`composer mode-${mode}${dropping ? ' dropping' : ''}`}
      onDragOver={(event) => {
        if (mode !== 'reply' || event.dataTransfer?.types.includes('Files') !== true) return;
        event.preventDefault();
        setDropping(true);
      }}
      onDragLeave={() => setDropping(false)}
      onDrop={(event) => {
        event.preventDefault();
        setDropping(false);
        if (mode === 'reply') uploads.add(event.dataTransfer?.files ?? []);
      }}
    >
      {missed !== null && mode === 'reply' && (
        <StalePanel
          events={missed.events}
          onSend={() => submit(missed.andNext)}
          onEdit={() => (setMissed(null), focus())}
        />
      )}
      {dropping && <p class="drop-hint">{t().dropHere}</p>}
      {mode === 'reply' && (picking || text.startsWith('/')) && (
        <QuickReplyMenu typed={picking ? '' : text.slice(1)} field={field} preview={withNames} onChoose={insert} />
      )}
      {foreign && mode === 'reply' && text !== '' && (
        <p class="composer-warning">{t().notYours(session.assigned_user_name ?? '—')}</p>
      )}
      {hasBlockedBot(session) && mode === 'reply' && (
        <p class="composer-warning" role="status" data-warning="bot-blocked">
          {t().botBlocked}
        </p>
      )}
      <ModeTabs mode={mode} onMode={switchTo} />
      <textarea
        ref={field}
        id="composer-text"
        rows={2}
        dir="auto"
        value={text}
        aria-invalid={tooLong}
        placeholder={mode === 'reply' ? t().replyHint : t().noteHint}
        aria-label={mode === 'reply' ? t().reply : t().note}
        onInput={(event) => write(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        onPaste={(event) => {
          const pasted = pastedFiles(event.clipboardData);
          if (mode !== 'reply' || pasted.length === 0) return;
          event.preventDefault();
          uploads.add(pasted);
        }}
      />
      {tooLong && (
        <p class="composer-warning" role="status">
          {t().tooLong(length, MESSAGE_MAX)}
        </p>
      )}
      {mode === 'reply' && <UploadList uploads={uploads} />}
      <div class="composer-bar">
        {mode === 'reply' && (
          <>
            {limits.perMessage > 0 && (
              <IconButton icon="attach" label={t().attach} onClick={() => picker.current?.click()} />
            )}
            <IconButton icon="bolt" label={t().quickReplies} onClick={pick} />
            <input
              ref={picker}
              class="visually-hidden"
              type="file"
              multiple
              accept={limits.accept}
              disabled={limits.perMessage === 0}
              tabIndex={-1}
              aria-label={t().attach}
              onChange={(event) => {
                uploads.add(event.currentTarget.files ?? []);
                event.currentTarget.value = '';
              }}
            />
          </>
        )}
        <span class="grow" />
        {mode === 'reply' && (
          <IconButton icon="sendNext" label={`${t().sendNext} (Ctrl+Enter)`} onClick={() => submit(true)} />
        )}
        <button
          type="button"
          class="primary"
          data-action="send"
          disabled={saving || tooLong || (text.trim() === '' && files.length === 0)}
          onClick={() => submit(false)}
        >
          <Icon name={mode === 'reply' ? 'send' : 'note'} />
          {mode === 'reply' ? t().send : t().addNote}
        </button>
      </div>
    </footer>
  );
}

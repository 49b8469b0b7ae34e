import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';
import { isComposing } from '../keys.ts';
import { MESSAGE_MAX, tooLong } from '../limits.ts';
import { type PrechatErrors, judgePrechat } from '../prechat.ts';
import { dialogTypes, takesNoFiles } from '../uploads.ts';
import { Icon } from './Icon.tsx';
import { PrechatFields } from './PrechatFields.tsx';
import { UploadChip } from './UploadChip.tsx';

const NO_ERRORS: PrechatErrors = {};

/** Copied cells come as text and as a picture of them; a copied file comes with its name as text. */
function isRatherText(text: string, files: readonly File[]): boolean {
  const names = files.map(({ name }) => name);
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return lines.length > 0 && !lines.every((line) => names.some((name) => line.endsWith(name)));
}

export type Attach = (files: readonly File[]) => void;

/** Where the visitor writes. Before their first message it also shows the site's questions and asks for consent. */
export function Composer({ attachRef }: { readonly attachRef: RefObject<Attach> }) {
  const model = useModel();
  const { client } = model;
  const { session } = useStore(client);
  const texts = useStore(model.texts);
  const config = useStore(model.config);
  const draft = useStore(model.draft);
  const uploads = useStore(model.uploads);
  const notice = useStore(model.notice);
  const [errors, setErrors] = useState(NO_ERRORS);
  const field = useRef<HTMLTextAreaElement>(null);
  const form = useRef<HTMLFormElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const asking = session === null;
  const uploading = uploads.some((upload) => upload.status === 'uploading');
  const ready = uploads.some((upload) => upload.status === 'done');
  const over = tooLong(draft, MESSAGE_MAX);
  const unready = (draft.trim() === '' && !ready) || uploading || over !== null;

  useLayoutEffect(() => {
    const element = field.current;
    if (element === null) return;
    let width = -1;
    const fit = (): void => {
      if (element.clientWidth === width) return;
      width = element.clientWidth;
      element.style.height = 'auto';
      element.style.height = `${Math.min(element.scrollHeight, 140)}px`;
    };
    fit();
    // A draft from the previous page is present before the panel is laid out, and has no height until then.
    const observer = new ResizeObserver(fit);
    observer.observe(element);
    return () => observer.disconnect();
  }, [draft]);

  /** True if the chat may start; otherwise shows the reason and focuses its field. */
  const allowed = (): boolean => {
    const found = asking ? judgePrechat(model.prechat.getState(), config, texts) : NO_ERRORS;
    setErrors(found);
    const [first] = Object.entries(found);
    if (first === undefined) return true;
    model.announcement.set(first[1] ?? '');
    form.current?.querySelector<HTMLElement>(`[name="${first[0]}"]`)?.focus();
    return false;
  };
  /** Only the configuration says what is asked before a chat: the first message waits for it. */
  const submitOnceConfigured = async (): Promise<void> => {
    await model.loadConfig();
    if (model.config.getState() === null) model.notice.set(texts.failed);
    else form.current?.requestSubmit();
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    if (unready) return;
    if (asking && config === null) return void submitOnceConfigured();
    if (!allowed()) return;
    const { stored } = client.send(draft.trim(), model.uploads.take());
    stored.then(
      ({ id }) => model.host.emit('message', { id, direction: 'out' }),
      (error: unknown) => {
        model.failed(error);
        model.announcement.set(texts.notSent);
        // The questions may have changed while they were being answered: a second attempt uses the new ones.
        if (asking) void model.loadConfig();
      },
    );
    client.setTyping(false);
    model.draft.set('');
    model.notice.set(null);
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && !event.shiftKey && !isComposing(event) && !model.phone.getState()) submit(event);
  };
  const onInput = (event: { currentTarget: HTMLTextAreaElement }): void => {
    model.draft.set(event.currentTarget.value);
    if (session !== null) client.setTyping(event.currentTarget.value !== '');
  };
  // A site's own chat may accept no files: a dropped or pasted one is refused with a text.
  const takesFiles = !takesNoFiles(config);
  const attach: Attach = (files) => {
    if (files.length > 0 && allowed()) model.uploads.add(files);
  };
  // Files dropped anywhere on the conversation require consent like any others: the first one starts the chat.
  attachRef.current = attach;
  const onPaste = (event: ClipboardEvent): void => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0 || isRatherText(event.clipboardData?.getData('text/plain') ?? '', files)) return;
    event.preventDefault();
    attach(files);
  };

  return (
    <form ref={form} class="composer" noValidate onSubmit={submit}>
      {asking && config !== null && <PrechatFields config={config} errors={errors} />}
      {notice !== null && <p class="error">{notice}</p>}
      {over !== null && (
        <p class="error" role="alert">
          {texts.tooLong(over, MESSAGE_MAX)}
        </p>
      )}
      {uploads.length > 0 && (
        <ul class="uploads">
          {uploads.map((upload) => (
            <UploadChip key={upload.key} upload={upload} />
          ))}
        </ul>
      )}
      <div class="writing">
        {takesFiles && (
          <>
            <input
              ref={picker}
              type="file"
              multiple
              hidden
              accept={dialogTypes(config?.attachments.mime)}
              onChange={({ currentTarget }) => {
                attach([...(currentTarget.files ?? [])]);
                currentTarget.value = '';
              }}
            />
            <button
              type="button"
              class="icon-button"
              aria-label={texts.attach}
              title={texts.attach}
              onClick={() => allowed() && picker.current?.click()}
            >
              <Icon name="clip" />
            </button>
          </>
        )}
        <textarea
          ref={field}
          data-first
          rows={1}
          dir="auto"
          aria-invalid={over === null ? undefined : 'true'}
          aria-label={texts.message}
          placeholder={texts.placeholder}
          enterkeyhint={model.phone.getState() ? 'enter' : 'send'}
          value={draft}
          onInput={onInput}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
        />
        <button
          type="submit"
          class="send"
          aria-label={texts.send}
          title={texts.send}
          aria-disabled={unready ? 'true' : 'false'}
        >
          <Icon name="send" />
        </button>
      </div>
    </form>
  );
}

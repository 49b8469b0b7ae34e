import { ChatClientError } from '@chat-realtime/client';
import { useRef, useState } from 'preact/hooks';
import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';
import { isEmail } from '../prechat.ts';
import { Field } from './Field.tsx';

type Doing = 'nothing' | 'file' | 'mail' | 'telegram';
interface Said {
  readonly of: Exclude<Doing, 'nothing'>;
  readonly text: string;
  readonly bad: boolean;
}

/** The chat as a file, by mail, or on in Telegram. */
export function KeepChat() {
  const model = useModel();
  const texts = useStore(model.texts);
  const { mail, telegram } = useStore(model.config)?.elsewhere ?? { mail: false, telegram: false };
  const { session } = useStore(model.client);
  const known = useStore(model.prechat).email;
  const [email, setEmail] = useState(known);
  const [link, setLink] = useState<string | null>(null);
  const [doing, setDoing] = useState<Doing>('nothing');
  const [said, setSaid] = useState<Said | null>(null);
  const field = useRef<HTMLInputElement>(null);

  const say = (of: Said['of'], text: string, bad = false): void => {
    setSaid({ of, text, bad });
    model.announcement.set(text);
  };
  const run = async (of: Said['of'], work: () => Promise<void>): Promise<void> => {
    if (doing !== 'nothing') return;
    setDoing(of);
    setSaid(null);
    try {
      await work();
    } catch (error) {
      model.failed(error);
      const code = error instanceof ChatClientError ? error.code : 'internal_error';
      if (code === 'validation_failed') say(of, texts.badEmail, true);
      else say(of, code === 'rate_limited' ? texts.wait : texts.failed, true);
    }
    setDoing('nothing');
  };
  const download = (): Promise<void> =>
    run('file', async () => {
      const file = await model.client.transcript();
      if (file === null) return;
      const address = URL.createObjectURL(file);
      const anchor = document.createElement('a');
      anchor.href = address;
      anchor.download = `chat-${session?.id ?? ''}.txt`;
      anchor.click();
      // Some browsers begin to read it a moment later.
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
      say('file', texts.keepDownloaded);
    });
  const send = (event: Event): void => {
    event.preventDefault();
    const address = email.trim();
    if (!isEmail(address)) {
      say('mail', texts.badEmail, true);
      field.current?.focus();
      return;
    }
    void run('mail', async () => {
      await model.client.transcript(address);
      say('mail', texts.keepMailed(address));
    });
  };
  const toTelegram = (): Promise<void> =>
    run('telegram', async () => {
      const { url } = await model.client.telegramLink();
      // A window that opens after a request is what browsers block: the visitor presses the link themselves.
      setLink(url);
      say('telegram', texts.keepLinkReady);
    });
  const answer = (of: Said['of']) =>
    said?.of === of && (
      <p class={said.bad ? 'error' : 'keep-said'} id={`keep-${of}-said`} dir="auto">
        {said.text}
      </p>
    );
  return (
    <div class="callback keep">
      <section>
        <button type="button" class="primary" data-first data-keep="file" onClick={() => void download()}>
          {texts.keepDownload}
        </button>
        {answer('file')}
      </section>
      {mail && (
        <form noValidate onSubmit={send}>
          <Field id="keep-email" label={texts.keepByMail}>
            <input
              ref={field}
              id="keep-email"
              name="email"
              type="email"
              autocomplete="email"
              value={email}
              aria-invalid={said?.of === 'mail' && said.bad ? 'true' : undefined}
              aria-describedby={said?.of === 'mail' ? 'keep-mail-said' : undefined}
              onInput={({ currentTarget }) => setEmail(currentTarget.value)}
            />
          </Field>
          <button type="submit" class="secondary" data-keep="mail" aria-disabled={doing === 'mail' ? 'true' : 'false'}>
            {texts.keepSend}
          </button>
          {answer('mail')}
        </form>
      )}
      {telegram && (
        <section>
          <p dir="auto">{texts.keepTelegramIntro}</p>
          {link === null ? (
            <button type="button" class="secondary" data-keep="telegram" onClick={() => void toTelegram()}>
              {texts.keepTelegram}
            </button>
          ) : (
            <a
              class="secondary"
              data-keep="telegram-link"
              href={link}
              target="_blank"
              rel="noopener noreferrer"
              onClick={() => setLink(null)}
            >
              {texts.keepOpenTelegram}
            </a>
          )}
          {answer('telegram')}
        </section>
      )}
    </div>
  );
}

import { useRef, useState } from 'preact/hooks';
import { Field } from '../components/Field.tsx';
import type { KeepModel } from '../components/KeepChat.tsx';
import { isEmail } from '../prechat.ts';
import { keepTexts } from './texts.ts';

type Doing = 'nothing' | 'file' | 'mail' | 'telegram';
interface Said {
  readonly of: Exclude<Doing, 'nothing'>;
  readonly text: string;
  readonly bad: boolean;
}

/** Gives the customer the chat as a file or by mail, or continues it in Telegram. */
export function KeepPage({ model }: { model: KeepModel }) {
  const { client } = model;
  const { mail = false, telegram = false } = model.config.getState()?.elsewhere ?? {};
  const texts = keepTexts(model.settings.getState().locale);
  const [email, setEmail] = useState(model.prechat.getState().email);
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
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'validation_failed') say(of, texts.badEmail, true);
      else say(of, code === 'rate_limited' ? texts.wait : texts.failed, true);
    }
    setDoing('nothing');
  };
  const download = (): Promise<void> =>
    run('file', async () => {
      const file = await client.transcript();
      if (file === null) return;
      const address = URL.createObjectURL(file);
      const anchor = document.createElement('a');
      anchor.href = address;
      anchor.download = `chat-${client.getState().session?.id ?? ''}.txt`;
      anchor.click();
      // Some browsers start reading it a moment later.
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
      say('file', texts.downloaded);
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
      await client.transcript(address);
      say('mail', texts.mailed(address));
    });
  };
  const toTelegram = (): Promise<void> =>
    run('telegram', async () => {
      const { url } = await client.telegramLink();
      // Browsers block a window that opens after a request, so the customer presses the link themselves.
      setLink(url);
      say('telegram', texts.linkReady);
    });
  const answer = (of: Said['of']) =>
    said?.of === of && (
      <p class={said.bad ? 'error' : 'keep-said'} id={`keep-${of}-said`} dir="auto">
        {said.text}
      </p>
    );
  return (
    <>
      <section>
        <button type="button" class="primary" data-first data-keep="file" onClick={() => void download()}>
          {texts.download}
        </button>
        {answer('file')}
      </section>
      {mail && (
        <form noValidate onSubmit={send}>
          <Field id="keep-email" label={texts.byMail}>
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
            {texts.send}
          </button>
          {answer('mail')}
        </form>
      )}
      {telegram && (
        <section>
          <p dir="auto">{texts.telegramIntro}</p>
          {link === null ? (
            <button type="button" class="secondary" data-keep="telegram" onClick={() => void toTelegram()}>
              {texts.telegram}
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
              {texts.openTelegram}
            </a>
          )}
          {answer('telegram')}
        </section>
      )}
    </>
  );
}

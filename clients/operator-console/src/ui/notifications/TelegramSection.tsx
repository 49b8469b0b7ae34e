import { useEffect, useState } from 'preact/hooks';
import { clockTime, t } from '../../i18n/index.ts';
import { notify } from '../../state/desk.ts';
import {
  makeTelegramCode,
  readTelegram,
  type TelegramBindingResponse,
  type TelegramCodeResponse,
  unbindTelegram,
} from '../../state/push-devices.ts';
import { useDesk } from '../context.ts';
import { Problem, Waiting } from '../manage/Page.tsx';
import { CodeBlock } from '../parts/CodeBlock.tsx';
import { useLoaded } from '../use-loaded.ts';
import { useTask } from '../use-task.ts';

/** Polled while a code is shown: the bot informs the server, but nothing informs this page. */
const LOOK_MS = 3_000;
/** A code is valid for ten minutes. */
const CODE_MS = 600_000;

const nameOf = ({ username, name, telegram_user_id }: NonNullable<TelegramBindingResponse['account']>): string =>
  username === null ? (name ?? String(telegram_user_id)) : `@${username}`;

/** The operator's Telegram account: bound with a one-time code, and unbound here. */
export function TelegramSection() {
  const { desk } = useDesk();
  const { notices } = t().manage;
  const { api } = desk.client;
  const { loaded, reload } = useLoaded(() => readTelegram(api), [desk]);
  const [code, setCode] = useState<TelegramCodeResponse | null>(null);
  const { busy, problem, run } = useTask();
  const account = loaded.state === 'ready' ? loaded.value.account : null;

  useEffect(() => {
    if (code === null) return undefined;
    if (account !== null) {
      setCode(null);
      return undefined;
    }
    const timer = setInterval(() => void reload(), LOOK_MS);
    const ending = setTimeout(() => setCode(null), CODE_MS);
    return () => {
      clearInterval(timer);
      clearTimeout(ending);
    };
  }, [code, account, reload]);

  const begin = (): void => void run(async () => setCode(await makeTelegramCode(api)));
  const unbind = (): void =>
    void run(async () => {
      await unbindTelegram(api);
      setCode(null);
      await reload();
      notify(notices.unbound);
    });
  return (
    <section data-section="telegram" data-bound={account !== null}>
      <h2>{notices.telegram}</h2>
      <p class="hint">{notices.telegramHint}</p>
      <Waiting loaded={loaded} retry={() => void reload()} />
      {loaded.state === 'ready' && (
        <div class="panel">
          {account === null && loaded.value.bot === null && <p class="hint">{notices.noBot}</p>}
          {account === null && loaded.value.bot !== null && code === null && (
            <div class="row-buttons wrap">
              <button type="button" class="primary" data-action="bind-telegram" disabled={busy} onClick={begin}>
                {notices.bind}
              </button>
            </div>
          )}
          {code !== null && (
            <>
              <p>{notices.codeHint(clockTime(code.expires_at))}</p>
              <CodeBlock label={notices.code} code={`/login ${code.code}`} />
              {code.url !== null && (
                <p>
                  <a class="button primary" href={code.url} target="_blank" rel="noopener noreferrer">
                    {notices.openBot}
                  </a>
                </p>
              )}
              <p class="hint" role="status">
                {notices.waitingForBot}
              </p>
            </>
          )}
          {account !== null && (
            <>
              <p class="device-who spaced">
                <strong>{notices.bound(nameOf(account))}</strong>
                <span class="hint">{account.on_duty ? notices.onDuty : notices.offDuty}</span>
              </p>
              {account.blocked_at !== null && <p class="fixed">{notices.blocked}</p>}
              <div class="row-buttons wrap">
                <button type="button" class="quiet" data-action="unbind-telegram" disabled={busy} onClick={unbind}>
                  {notices.unbind}
                </button>
              </div>
            </>
          )}
          <Problem text={problem} />
        </div>
      )}
    </section>
  );
}

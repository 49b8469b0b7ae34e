import { t } from '../i18n/index.ts';
import { auth, notify, ui } from '../state/desk.ts';
import { type NotifyRefusal, refusalText } from '../state/notifier.ts';
import { forgetThisDevice } from '../state/push-devices.ts';
import { routeHash } from '../state/route.ts';
import { settings } from '../settings.ts';
import { signIn } from '../state/sign-in.ts';
import { useStore } from '../store.ts';
import { useDesk } from './context.ts';
import { LocaleSwitch } from './LocaleSwitch.tsx';
import { managePages } from './manage/ManageNav.tsx';
import { Icon } from './parts/Icon.tsx';
import { OperatorAvatar } from './parts/OperatorAvatar.tsx';
import { Toggle } from './parts/Toggle.tsx';
import { usePopover } from './use-popover.ts';

export function SettingsMenu() {
  const { desk } = useDesk();
  const state = useStore(settings);
  const { open, setOpen, box, button } = usePopover();

  const show = (refusal: NotifyRefusal | null): void => {
    settings.set({ notifications: refusal === null });
    if (refusal !== null) notify(refusalText(refusal), 'error');
  };
  const test = async (): Promise<void> => {
    show(await desk.attention.test());
  };
  const allowNotifications = async (on: boolean): Promise<void> => {
    if (on) show(await desk.attention.enable());
    else settings.set({ notifications: false });
  };

  const signOut = async (): Promise<void> => {
    await forgetThisDevice(desk.client.api);
    await auth.logout();
  };

  return (
    <div class="settings" ref={box}>
      <button ref={button} type="button" class="rail-item" aria-expanded={open} onClick={() => setOpen(!open)}>
        <OperatorAvatar id={desk.user.id} name={desk.user.name} small />
        <span class="rail-label">{t().settings}</span>
      </button>
      {open && (
        <section class="menu" aria-label={t().settings}>
          <p class="menu-who">
            <strong>{desk.user.name}</strong> <span>{desk.user.login}</span>
          </p>
          <LocaleSwitch />
          <div class="segments" role="group" aria-label={t().theme}>
            {(['auto', 'light', 'dark'] as const).map((theme) => (
              <button
                key={theme}
                type="button"
                aria-pressed={state.theme === theme}
                onClick={() => settings.set({ theme })}
              >
                {t().themes[theme]}
              </button>
            ))}
          </div>
          <Toggle label={t().sound} on={state.sound} onChange={(sound) => settings.set({ sound })} />
          <Toggle label={t().notifications} on={state.notifications} onChange={(on) => void allowNotifications(on)} />
          <button type="button" class="quiet wide" onClick={() => void test()}>
            {t().test}
          </button>
          <Toggle label={t().shortcutsOn} on={state.shortcuts} onChange={(shortcuts) => settings.set({ shortcuts })} />
          <Toggle
            label={t().sendByCtrl}
            on={state.sendBy === 'ctrl-enter'}
            onChange={(on) => settings.set({ sendBy: on ? 'ctrl-enter' : 'enter' })}
          />
          <div class="menu-row">
            <button type="button" class="quiet" onClick={() => (setOpen(false), ui.set({ dialog: 'shortcuts' }))}>
              <Icon name="keyboard" /> {t().shortcuts}
            </button>
            {/* The site's own sign-in ends on the site. */}
            {signIn.tokenUrl === null && (
              <button type="button" class="quiet" onClick={() => void signOut()}>
                <Icon name="exit" /> {t().signOut}
              </button>
            )}
          </div>
          <div class="menu-row">
            {(['notifications', 'account', 'bans'] as const)
              .filter((page) => managePages(desk.role).includes(page))
              .map((page) => (
                <a key={page} class="button quiet" href={routeHash({ page })} onClick={() => setOpen(false)}>
                  {t().manage.pages[page]}
                </a>
              ))}
          </div>
          <div class="menu-row narrow-row">
            {desk.role === 'admin' && (
              <a
                class="button quiet"
                href={routeHash({ page: managePages('admin')[0] ?? 'bans' })}
                onClick={() => setOpen(false)}
              >
                <Icon name="settings" /> {t().manage.title}
              </a>
            )}
            {(['replies', 'setup'] as const).map((page) => (
              <a key={page} class="button quiet" href={routeHash({ page })} onClick={() => setOpen(false)}>
                <Icon name={page === 'setup' ? 'setup' : 'bolt'} /> {page === 'setup' ? t().setup : t().repliesShort}
              </a>
            ))}
          </div>
        </section>
      )}
    </div>
  );
}

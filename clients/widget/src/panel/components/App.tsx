import { useEffect, useRef } from 'preact/hooks';
import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';
import { usePhoneScreen } from '../use-phone-screen.ts';
import { keepFocusInside } from '../focus.ts';
import { isComposing } from '../keys.ts';
import { Banner } from './Banner.tsx';
import { CallbackForm } from './CallbackForm.tsx';
import { Conversation } from './Conversation.tsx';
import { Header } from './Header.tsx';
import { KeepChat } from './KeepChat.tsx';
import { Peek } from './Peek.tsx';

/** The panel as a whole: opening and closing, Esc, full screen on phones, and the one live region. */
export function App() {
  const model = useModel();
  const open = useStore(model.open);
  const view = useStore(model.view);
  const phone = useStore(model.phone);
  const texts = useStore(model.texts);
  const announcement = useStore(model.announcement);
  const again = useStore(model.again);
  const settled = useRef(false);
  const panel = useRef<HTMLDivElement>(null);
  usePhoneScreen(panel, phone && open);

  useEffect(() => {
    if (!open) {
      settled.current = false;
      return;
    }
    const first = !settled.current;
    settled.current = true;
    // It was open on the previous page: the visitor is busy with this one.
    if (again && first) return;
    // On a phone the keyboard would open over a greeting nobody has read yet.
    const wanted = phone ? null : panel.current?.querySelector<HTMLElement>('[data-first]');
    (wanted ?? panel.current)?.focus({ preventScroll: true });
  }, [open, view, phone]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && !isComposing(event)) {
      event.stopPropagation();
      if (view !== 'chat') model.view.set('chat');
      else model.host.close();
    } else if (phone) keepFocusInside(event, panel.current);
  };

  return (
    <>
      <div
        ref={panel}
        id="chat-panel"
        class={`panel${phone ? ' is-phone' : ''}${again ? ' is-still' : ''}`}
        role="dialog"
        aria-modal={phone ? 'true' : 'false'}
        aria-label={texts.title}
        tabIndex={-1}
        hidden={!open}
        onKeyDown={onKeyDown}
      >
        <Header />
        <Banner />
        {view === 'callback' ? <CallbackForm /> : view === 'keep' ? <KeepChat /> : <Conversation />}
      </div>
      <Peek />
      <div class="sr" role="status" aria-live="polite">
        {announcement}
      </div>
    </>
  );
}

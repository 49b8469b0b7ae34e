import { render } from 'preact';
import type { Panel, PanelHost } from '../bridge.ts';
import { icon } from '../loader/launcher.ts';
import { App } from './components/App.tsx';
import { ModelProvider } from './context.ts';
import { isolateEvents } from './event-isolation.ts';
import { createModel } from './model.ts';
import { css } from './styles/index.ts';

/** The chat itself: what the loader fetches when the visitor opens it for the first time. */
export function mountPanel(host: PanelHost): Panel {
  const model = createModel(host);
  const { client, settings, view, draft, open, again } = model;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  host.root.adoptedStyleSheets = [...host.root.adoptedStyleSheets, sheet];
  // Drawn here: it shows only while the panel is open.
  const cross = icon('cross', 'M6 6l12 12M18 6L6 18');
  host.container.querySelector('.launcher')?.append(cross);
  const release = isolateEvents(host.root.host as HTMLElement);
  const place = document.createElement('div');
  host.container.append(place);
  const draw = (): void =>
    render(
      <ModelProvider value={model}>
        <App />
      </ModelProvider>,
      place,
    );
  draw();
  return {
    open(wanted) {
      if (wanted.view !== undefined) view.set(wanted.view);
      if (wanted.draft !== undefined) draft.set(wanted.draft);
      if (!open.getState()) again.set(wanted.again === true);
      open.set(true);
      void model.loadConfig();
    },
    close() {
      open.set(false);
    },
    async identify(identity) {
      const session = await client.identify(async () => {
        const token = await identity.getToken();
        model.signedIn(token);
        return token;
      });
      return { sessionId: session?.id ?? null };
    },
    async logout() {
      await model.logout();
    },
    async send(text) {
      const { id } = await client.send(text).stored;
      host.emit('message', { id, direction: 'out' });
      return { messageId: id };
    },
    async requestCallback({ phone, name, preferredAt, comment, consent }) {
      const { id } = await client.requestCallback({
        phone,
        consent,
        ...(name !== undefined && { name }),
        ...(preferredAt !== undefined && { preferred_at: preferredAt }),
        ...(comment !== undefined && { comment }),
      });
      host.emit('callback', { id });
      return { id };
    },
    update(next) {
      settings.set(next);
    },
    destroy() {
      release();
      cross.remove();
      render(null, place);
      place.remove();
      model.destroy();
    },
  };
}

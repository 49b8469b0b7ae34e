/**
 * The operator console: a single page over the staff client of `clients/sdk`.
 *
 * A message enters through that client into `state/`, whose stores the components in `ui/` render. What an operator does
 * enters in `ui/`, goes through `state/` and leaves as a REST call or a frame of the client.
 *
 * - `state/`: everything without a component: inbox, conversation, drafts, settings, notifications
 * - `ui/`: Preact components, a folder per part of the screen
 * - `styles/`: CSS, one file per part; colours and sizes in `tokens.css`
 * - `i18n/`: texts in Russian and English; a text that is missing in one is a type error
 *
 * Start with `state/desk.ts`, which holds everything of one sign-in, then `ui/DeskView.tsx`.
 */
import { render } from 'preact';
import { watchVersion } from './state/version.ts';
import './styles/index.ts';
import { App } from './ui/App.tsx';

const root = document.getElementById('app');
const styles = [...document.querySelectorAll<HTMLLinkElement>('link[rel=stylesheet]')].map(({ href }) => href);
watchVersion([import.meta.url, ...styles]);
if (root !== null) render(<App />, root);

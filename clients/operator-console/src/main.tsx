import { render } from 'preact';
import { watchVersion } from './state/version.ts';
import './styles/index.ts';
import { App } from './ui/App.tsx';

const root = document.getElementById('app');
const styles = [...document.querySelectorAll<HTMLLinkElement>('link[rel=stylesheet]')].map(({ href }) => href);
watchVersion([import.meta.url, ...styles]);
if (root !== null) render(<App />, root);

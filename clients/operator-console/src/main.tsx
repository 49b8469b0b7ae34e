import { render } from 'preact';
import './styles/index.ts';
import { App } from './ui/App.tsx';

const root = document.getElementById('app');
if (root !== null) render(<App />, root);

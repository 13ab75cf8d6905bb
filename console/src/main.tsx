import { render } from 'preact';
import { restoreSession } from './state/session.js';
import { App } from './ui/app.js';

restoreSession();
const root = document.getElementById('console');
if (root) render(<App />, root);

import { render } from 'preact';
import { followHistory } from './state/place.js';
import { restoreSession } from './state/session.js';
import { followTheme } from './state/theme.js';
import { App } from './ui/app.js';
import { keepFocus } from './ui/keep-focus.js';

restoreSession();
followHistory();
followTheme();
const root = document.getElementById('console');
if (root) {
  render(<App />, root);
  keepFocus(root);
}

import { useSignal } from '@preact/signals';
import { signedOutBecause, signIn } from '../state/session.js';
import { Lamp } from './header.js';

export function SignIn() {
  const key = useSignal('');
  const remember = useSignal(false);
  const submit = (event: Event): void => {
    event.preventDefault();
    // A key is often pasted as a whole header.
    const given = key.value.trim().replace(/^Bearer\s+/i, '');
    if (given) signIn(given, { remember: remember.value });
  };
  return (
    <main class="sign-in">
      <form class="card" onSubmit={submit}>
        <h1>
          <Lamp /> Tallylight
        </h1>
        {signedOutBecause.value !== null && (
          <p class="trouble" role="alert">
            {signedOutBecause.value}
          </p>
        )}
        <label>
          API key or LiveKit access token
          <input
            type="password"
            name="key"
            required
            autofocus
            autocomplete="off"
            spellcheck={false}
            placeholder="tl_…"
            value={key}
            onInput={(event) => (key.value = event.currentTarget.value)}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            name="remember"
            checked={remember}
            onChange={(event) => (remember.value = event.currentTarget.checked)}
          />
          Remember it on this device
        </label>
        <p class="muted small">Otherwise it is forgotten when this tab is closed.</p>
        <button type="submit" class="primary">
          Open the console
        </button>
      </form>
    </main>
  );
}

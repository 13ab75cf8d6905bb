import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { signedOutBecause, signIn } from '../state/session.js';
import { Check, Field } from './field.js';

export function SignIn() {
  const key = useSignal('');
  const remember = useSignal(false);
  const form = useRef<HTMLFormElement>(null);
  // Also after a refusal, which took the console away under the focus.
  useEffect(() => form.current?.querySelector('input')?.focus(), []);
  const submit = (event: Event): void => {
    event.preventDefault();
    // A key is often pasted as a whole header.
    const given = key.value.trim().replace(/^Bearer\s+/i, '');
    if (given) signIn(given, { remember: remember.value });
  };
  return (
    <main class="sign-in">
      <form ref={form} class="panel" onSubmit={submit}>
        <h1>
          <span class="lamp on" aria-hidden="true" /> Tallylight
        </h1>
        <Because />
        <Field
          label="API key or LiveKit access token"
          name="key"
          type="password"
          required
          autofocus
          spellcheck={false}
          placeholder="tl_…"
          value={key.value}
          onText={(text) => (key.value = text)}
        />
        <Check
          label="Remember it on this device"
          name="remember"
          checked={remember.value}
          onCheck={(checked) => (remember.value = checked)}
        />
        <p class="muted small">Otherwise it is forgotten when this tab is closed.</p>
        <button type="submit" class="primary">
          Open the console
        </button>
      </form>
    </main>
  );
}

function Because() {
  const because = signedOutBecause.value;
  return because === null ? null : (
    <p class="trouble" role="alert">
      {because}
    </p>
  );
}

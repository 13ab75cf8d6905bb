/** @jsxImportSource react */

export function AskKey({ onGiven }: { onGiven: (key: string) => void }) {
  return (
    <form
      className="ask-key"
      onSubmit={(event) => {
        event.preventDefault();
        const given = new FormData(event.currentTarget).get('key');
        const key = typeof given === 'string' ? given.trim().replace(/^Bearer\s+/i, '') : '';
        if (key) onGiven(key);
      }}
    >
      <label>
        API key or LiveKit access token
        <input type="password" name="key" required autoFocus autoComplete="off" placeholder="tl_…" />
      </label>
      <button type="submit">Open GraphiQL</button>
      <p>It is forgotten when this tab is closed. The headers can be edited later.</p>
    </form>
  );
}

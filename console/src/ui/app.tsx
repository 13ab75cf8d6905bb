import { useComputed, useSignalEffect } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { Desk } from '../state/desk.js';
import { credential } from '../state/session.js';
import { Header } from './header.js';
import { Announcer, Notices } from './notices.js';
import { RecordingList } from './recording-list.js';
import { RoomList } from './room-list.js';
import { SignIn } from './sign-in.js';

export function App() {
  const key = credential.value;
  return key === null ? <SignIn /> : <OpenDesk key={key} credential={key} />;
}

function OpenDesk({ credential }: { credential: string }) {
  const desk = useMemo(() => new Desk(credential), [credential]);
  useEffect(() => {
    desk.open();
    return () => desk.close();
  }, [desk]);
  useTitle(desk);
  return (
    <>
      <Header desk={desk} />
      <main>
        {desk.trouble.value !== null && (
          <p class="trouble" role="alert">
            {desk.trouble.value} <span class="muted">Trying again…</span>
          </p>
        )}
        <RoomList desk={desk} />
        <RecordingList desk={desk} />
      </main>
      <Notices />
      <Announcer />
    </>
  );
}

/** The tab tells, too, that something is being recorded. */
function useTitle(desk: Desk): void {
  const running = useComputed(
    () => [...(desk.ledger.value?.byId.values() ?? [])].filter((r) => r.status === 'ACTIVE').length,
  );
  useSignalEffect(() => {
    document.title = running.value > 0 ? `● ${running.value} recording – Tallylight` : 'Tallylight';
  });
}

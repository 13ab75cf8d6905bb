import { useSignalEffect } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { IS_EMBEDDED } from '../api/demo.js';
import { Desk } from '../state/desk.js';
import { place } from '../state/place.js';
import { credential } from '../state/session.js';
import { DeletionProgress } from './deletion-progress.js';
import { DeskContext } from './desk-context.js';
import { Header } from './header.js';
import { lazy } from './lazy.js';
import { Link } from './link.js';
import { Announcer, Information, Notices } from './notices.js';
import { RecordingsPage } from './recordings/recordings-page.js';
import { SignIn } from './sign-in.js';

const DemoPage = lazy(async () => (await import('./demo/demo-page.js')).DemoPage);
const RecordingPage = lazy(async () => (await import('./recording/recording-page.js')).RecordingPage);
const RoomsPage = lazy(async () => (await import('./rooms/rooms-page.js')).RoomsPage);
const SystemPage = lazy(async () => (await import('./system/system-page.js')).SystemPage);

export function App() {
  const key = credential.value;
  return key === null ? <SignIn /> : <Open key={key} credential={key} />;
}

function Open({ credential }: { credential: string }) {
  const desk = useMemo(() => new Desk(credential), [credential]);
  useEffect(() => {
    desk.open();
    return () => desk.close();
  }, [desk]);
  useTitle(desk);
  return (
    <DeskContext.Provider value={desk}>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <Header />
      <main id="main" tabIndex={-1}>
        {desk.trouble.value !== null && (
          <p class="trouble" role="alert">
            {desk.trouble.value} <span class="muted">Trying again…</span>
          </p>
        )}
        <DeletionProgress />
        {desk.viewer.value && <View />}
      </main>
      <Notices />
      <Information />
      <Announcer />
    </DeskContext.Provider>
  );
}

function View() {
  const { path } = place.value;
  useFocusOnChange(path);
  if (path === '') return <RecordingsPage />;
  if (path === 'rooms') return <RoomsPage />;
  if (path === 'system') return <SystemPage />;
  if (path === 'demo' && IS_EMBEDDED) return <DemoPage />;
  if (path.startsWith('rec_')) return <RecordingPage key={path} />;
  return (
    <section class="empty">
      <h1>There is nothing here</h1>
      <p>
        No page of the console has this address. <Link to="">See the recordings</Link>
      </p>
    </section>
  );
}

/** Whoever comes to another view by keyboard or screen reader begins at its top. */
function useFocusOnChange(path: string): void {
  const before = useRef(path);
  useEffect(() => {
    if (before.current === path) return;
    before.current = path;
    document.getElementById('main')?.focus({ preventScroll: true });
  }, [path]);
}

function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

/** The tab tells, too, that something is being recorded, and when it does not know. */
function useTitle(desk: Desk): void {
  useSignalEffect(() => {
    const running =
      desk.inProgress.value.filter(({ status }) => status === 'ACTIVE').length + desk.beyond.value;
    if (desk.connection.value !== 'connecting' && !desk.isKnown.value) document.title = '? Tallylight';
    else document.title = running > 0 ? `● ${running} recording – Tallylight` : 'Tallylight';
  });
}

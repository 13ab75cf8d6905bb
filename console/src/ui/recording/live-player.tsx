import { useSignal } from '@preact/signals';
import type Hls from 'hls.js';
import { useEffect, useRef } from 'preact/hooks';
import type { RecordingDetail } from '../../api/contract.js';
import { LIVE } from '../../api/documents.js';
import { serverUrl } from '../../api/graphql.js';
import { useDesk } from '../desk-context.js';

/** There is none before the first segment is whole, and a connection may break. */
const AGAIN_MS = 1_000;

/** Plays a recording while it is made, some seconds behind; where it can't be watched, says when it can be. */
export function LivePlayer({ recording }: { recording: RecordingDetail }) {
  const desk = useDesk();
  const path = useSignal<string | null>(null);
  const player = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    desk.api.ask(LIVE, { id: recording.id }).then(
      (answer) => (path.value = answer.recording?.livePath ?? null),
      () => undefined,
    );
  }, [recording.id]);
  useEffect(() => {
    const element = player.current;
    if (path.value === null || element === null) return undefined;
    const address = serverUrl(path.value).href;
    let isOver = false;
    let stop = (): void => undefined;
    void watch(element, address, `Bearer ${desk.api.credential}`).then((end) => {
      stop = end;
      if (isOver) stop();
    });
    return () => {
      isOver = true;
      stop();
    };
  }, [path.value]);
  if (path.value === null) return <NotYet />;
  const props = { ref: player, controls: true, autoplay: true, muted: true };
  return (
    <div class="player live">
      <video {...props} playsInline aria-label={`Live recording of ${recording.roomName}`} />
      <p class="small muted">Live, some seconds behind.</p>
    </div>
  );
}

export function NotYet() {
  return (
    <div class="no-media live">
      <p>It can be played once it has ended and the file is uploaded.</p>
    </div>
  );
}

/** Begins, and answers how to end it. The library is large, and comes when somebody watches. */
async function watch(player: HTMLVideoElement, address: string, authorization: string): Promise<() => void> {
  const { default: Player } = await import('hls.js/light');
  let hls: Hls | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const begin = (): void => {
    hls?.destroy();
    hls = new Player({
      // A worker would be made of a blob, which the page's policy forbids.
      enableWorker: false,
      // In segments of two seconds.
      ...{ liveSyncDurationCount: 2, liveMaxLatencyDurationCount: 5 },
      xhrSetup: (request) => request.setRequestHeader('authorization', authorization),
    });
    hls.on(Player.Events.ERROR, (_event, { fatal }) => {
      if (fatal) timer = setTimeout(begin, AGAIN_MS);
    });
    hls.loadSource(address);
    hls.attachMedia(player);
  };
  begin();
  return () => {
    clearTimeout(timer);
    hls?.destroy();
  };
}

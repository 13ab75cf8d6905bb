import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Recording, RecordingDetail } from '../../api/contract.js';
import { ApiError, messageOf } from '../../api/graphql.js';
import { mediaAddress, whyNotPlayable } from '../../api/media.js';
import { playedAfter } from '../../meeting.js';
import { change, hrefOf, place } from '../../state/place.js';
import { lengthWords } from '../../words.js';
import { copy } from '../copy.js';
import { useDesk } from '../desk-context.js';
import { ErrorText } from '../notices.js';

const SPEEDS = [0.5, 1, 1.25, 1.5, 2, 3];
/** How far a key leaps, s. */
const LEAPS: Readonly<Record<string, number>> = { ArrowLeft: -5, ArrowRight: 5, j: -10, l: 10 };

export interface PlayerProps {
  recording: RecordingDetail;
  /** All parts of its meeting. */
  meeting: readonly Recording[];
  /** The id of the part that is played. */
  playing: Signal<string>;
}

/**
 * Plays a recording, and then the parts of its meeting that follow, in one player, so that it stays as large, loud and fast as
 * somebody made it. The second where the recording itself stands is in the address (`?t=42`).
 */
export function Player({ recording, meeting, playing }: PlayerProps) {
  const desk = useDesk();
  const address = useSignal<URL | null>(null);
  const problem = useSignal<{ code: string; message: string } | null>(null);
  const speed = useSignal(1);
  const second = useSignal(0);
  const player = useRef<HTMLVideoElement & HTMLAudioElement>(null);
  const part = playing.value;
  const isOwn = part === recording.id;
  /** Which part's media was loaded last: another one is played as soon as it can be. */
  const loaded = useRef<string | null>(null);
  const fail = (error: unknown): void => {
    problem.value = { code: error instanceof ApiError ? error.code : 'INTERNAL', message: messageOf(error) };
  };
  useEffect(() => {
    let isWanted = true;
    problem.value = null;
    mediaAddress(desk.api, part).then(
      (found) => {
        if (isWanted) address.value = found;
      },
      (error: unknown) => isWanted && fail(error),
    );
    return () => {
      isWanted = false;
    };
  }, [part]);
  if (problem.value)
    return (
      <div class="no-media">
        <ErrorText {...problem.value} />
      </div>
    );
  const keep = (): void => {
    // What is kept in the address is of the recording whose address it is.
    if (isOwn) change({ t: secondText(player.current?.currentTime), play: null }, { replace: true });
  };
  const load = (): void => {
    const isFirst = loaded.current === null;
    if (isFirst) begin(player.current);
    else if (loaded.current !== part) play(player.current);
    loaded.current = part;
  };
  const playNext = (): void => {
    const next = playedAfter(meeting, part);
    if (next !== null) playing.value = next.id;
  };
  const props = {
    ref: player,
    controls: true,
    preload: 'metadata' as const,
    src: address.value?.href,
    onError: () => void (address.value && whyNotPlayable(address.value).then(fail)),
    onLoadedMetadata: load,
    onEnded: playNext,
    onTimeUpdate: () => (second.value = Math.floor(player.current?.currentTime ?? 0)),
    onPause: keep,
    onSeeked: keep,
  };
  return (
    <div class="player" onKeyDown={(event) => steer(event, player.current)}>
      {recording.audioOnly ? (
        <audio {...props} aria-label={`Recording of ${recording.roomName}`} />
      ) : (
        <video {...props} playsInline aria-label={`Recording of ${recording.roomName}`} />
      )}
      <div class="row wrap">
        <label class="inline">
          Speed
          <select
            value={String(speed.value)}
            onChange={(event) => {
              speed.value = Number(event.currentTarget.value);
              if (!player.current) return;
              player.current.playbackRate = speed.value;
              // Of what is played next.
              player.current.defaultPlaybackRate = speed.value;
            }}
          >
            {SPEEDS.map((one) => (
              <option key={one} value={String(one)}>
                {one}×
              </option>
            ))}
          </select>
        </label>
        <button
          type="button"
          onClick={() =>
            copy(hrefOf(`${part}?t=${second.value}`), `The link to ${lengthWords(second.value * 1000)}`)
          }
        >
          Copy link at {lengthWords(second.value * 1000)}
        </button>
      </div>
    </div>
  );
}

function begin(player: HTMLVideoElement | null): void {
  if (!player) return;
  const { search } = place.value;
  const at = Number(search.get('t'));
  if (Number.isFinite(at) && at > 0) player.currentTime = Math.min(at, player.duration || at);
  // A browser may refuse to play without a press; the controls are there then.
  if (search.get('play') === '1') play(player);
}

function play(player: HTMLVideoElement | null): void {
  player?.play().catch((error: unknown) => console.warn('not played by itself:', error));
}

function secondText(time: number | undefined): string | null {
  const second = Math.floor(time ?? 0);
  return second > 0 ? String(second) : null;
}

function steer(event: KeyboardEvent, player: HTMLVideoElement | null): void {
  if (!player || event.target instanceof HTMLSelectElement || event.ctrlKey || event.metaKey || event.altKey)
    return;
  const leap = LEAPS[event.key];
  if (leap !== undefined) player.currentTime = Math.max(0, player.currentTime + leap);
  else if (event.key === 'k') void (player.paused ? player.play() : player.pause());
  else return;
  event.preventDefault();
}

import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import { isInProgress, type Recording } from '../api/contract.js';
import type { Desk } from '../state/desk.js';
import {
  instantWords,
  kindWords,
  labelWords,
  lengthWords,
  preciseInstant,
  reasonWords,
  sizeWords,
  STATUS_WORD,
} from '../words.js';
import { DeleteDialog } from './delete-dialog.js';
import { History } from './history.js';
import { DownloadButton, PlayerDialog } from './player-dialog.js';
import { RunningFor, StopButton } from './room-list.js';

interface Props {
  desk: Desk;
  recording: Recording;
}

export function RecordingRow({ desk, recording }: Props) {
  const expanded = useSignal(false);
  const panel = useId();
  const { id, status, roomName, error } = recording;
  return (
    <li class="card recording" data-recording={id} data-status={status}>
      <div class="row-head">
        <span class={`status ${status.toLowerCase()}`}>
          <span class="lamp" aria-hidden="true" />
          {STATUS_WORD[status]}
        </span>
        <h3>{roomName}</h3>
      </div>
      <div class="row-text">
        <Facts recording={recording} />
        {error !== null && <p class="small error-text">{error}</p>}
      </div>
      <div class="buttons">
        <Buttons desk={desk} recording={recording} />
        <button
          type="button"
          class="quiet"
          aria-expanded={expanded.value}
          aria-controls={panel}
          onClick={() => (expanded.value = !expanded.value)}
        >
          Details <span aria-hidden="true">{expanded.value ? '▾' : '▸'}</span>
        </button>
      </div>
      <div id={panel} class="details small" hidden={!expanded.value}>
        {expanded.value && <Details desk={desk} recording={recording} />}
      </div>
    </li>
  );
}

function Facts({ recording }: { recording: Recording }) {
  const { requestedAt, startedAt, durationMs, sizeBytes, status, endReason } = recording;
  return (
    <p class="facts muted small">
      {endReason !== null && <span>{reasonWords(endReason)}</span>}
      <time dateTime={requestedAt} title={preciseInstant(requestedAt)}>
        {instantWords(requestedAt)}
      </time>
      {status === 'ACTIVE' && startedAt !== null && <RunningFor since={startedAt} />}
      {durationMs !== null && <span class="digits">{lengthWords(durationMs)}</span>}
      {sizeBytes !== null && <span class="digits">{sizeWords(sizeBytes)}</span>}
      {recording.audioOnly && <span>audio</span>}
      {labelWords(recording.labels).map((label) => (
        <span key={label} class="label">
          {label}
        </span>
      ))}
    </p>
  );
}

function Buttons({ desk, recording }: Props) {
  const open = useSignal<'player' | 'delete' | null>(null);
  const closed = (): void => void (open.value = null);
  const of = `recording of ${recording.roomName}, ${instantWords(recording.requestedAt)}`;
  if (isInProgress(recording)) return <StopButton desk={desk} recording={recording} />;
  return (
    <>
      {recording.mediaPath !== null && (
        <>
          <button
            type="button"
            class="play"
            aria-label={`Play the ${of}`}
            onClick={() => (open.value = 'player')}
          >
            <span aria-hidden="true">▶</span> Play
          </button>
          <DownloadButton desk={desk} recording={recording} label={`Download the ${of}`} />
        </>
      )}
      <button
        type="button"
        class="quiet"
        aria-label={`Delete the ${of}`}
        onClick={() => (open.value = 'delete')}
      >
        Delete…
      </button>
      {open.value === 'player' && <PlayerDialog desk={desk} recording={recording} onClosed={closed} />}
      {open.value === 'delete' && <DeleteDialog desk={desk} recording={recording} onClosed={closed} />}
    </>
  );
}

function Details({ desk, recording }: Props) {
  const { id, roomId, egressId, filename, startedAt, endedAt } = recording;
  const rows: [string, string | null][] = [
    ['Recording', id],
    ['Room', roomId],
    ['Egress', egressId],
    ['Picture', kindWords(recording)],
    ['Started', startedAt && preciseInstant(startedAt)],
    ['Ended', endedAt && preciseInstant(endedAt)],
    ['File', filename],
  ];
  return (
    <>
      <dl>
        {rows.map(
          ([name, value]) =>
            value !== null && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      <History desk={desk} recording={recording} />
    </>
  );
}

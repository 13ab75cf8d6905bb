import type { ComponentChildren } from 'preact';
import type { RecordingDetail } from '../../api/contract.js';
import { kindWords, lengthWords, sizeWords } from '../../words.js';
import { copy } from '../copy.js';
import { Link } from '../link.js';
import { Instant } from '../time.js';

export function Facts({ recording }: { recording: RecordingDetail }) {
  const {
    id,
    roomId,
    room,
    egressId,
    roomSid,
    requestedAt,
    startedAt,
    endedAt,
    durationMs,
    sizeBytes,
    filename,
  } = recording;
  return (
    <section class="panel facts">
      <h2>Facts</h2>
      <dl>
        <Fact name="Recording">
          <Copied text={id} what="The recording's id" />
        </Fact>
        <Fact name="Room">
          <Link to={`rooms?q=${encodeURIComponent(roomId)}`}>{roomId}</Link>
          {room === null && <span class="muted"> (deleted)</span>}
        </Fact>
        {roomSid !== null && (
          <Fact name="Session">
            <Copied text={roomSid} what="The session's id" />
          </Fact>
        )}
        <Fact name="Egress">
          {egressId === null ? (
            <span class="muted">none</span>
          ) : (
            <Copied text={egressId} what="The egress id" />
          )}
        </Fact>
        <Fact name="Kind">{kindWords(recording)}</Fact>
        <Fact name="Requested">
          <Instant at={requestedAt} />
        </Fact>
        {startedAt !== null && (
          <Fact name="Started">
            <Instant at={startedAt} />
          </Fact>
        )}
        {endedAt !== null && (
          <Fact name="Ended">
            <Instant at={endedAt} />
          </Fact>
        )}
        {durationMs !== null && <Fact name="Length">{lengthWords(durationMs)}</Fact>}
        {sizeBytes !== null && <Fact name="Size">{sizeWords(sizeBytes)}</Fact>}
        {filename !== null && (
          <Fact name="File">
            <Copied text={filename} what="The file's name" />
          </Fact>
        )}
      </dl>
      <details>
        <summary>Raw JSON</summary>
        <pre tabIndex={0}>{JSON.stringify(recording, null, 2)}</pre>
        <button type="button" onClick={() => copy(JSON.stringify(recording, null, 2), 'The JSON')}>
          Copy JSON
        </button>
      </details>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function Copied({ text, what }: { text: string; what: string }) {
  return (
    <button
      type="button"
      class="copied"
      title="Copy"
      aria-label={`Copy: ${text}`}
      onClick={() => copy(text, what)}
    >
      <code>{text}</code>
    </button>
  );
}

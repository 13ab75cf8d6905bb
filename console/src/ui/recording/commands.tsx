import type { RecordingDetail } from '../../api/contract.js';
import { isInProgress } from '../../api/contract.js';
import { copy } from '../copy.js';
import { Icon } from '../icon.js';

/** What somebody with LiveKit's own command line asks next. */
export function Commands({ recording }: { recording: RecordingDetail }) {
  const { egressId, roomId } = recording;
  const commands = [
    ...(egressId === null ? [] : [`lk egress list --id ${egressId}`]),
    ...(egressId !== null && isInProgress(recording) ? [`lk egress stop --id ${egressId}`] : []),
    `lk room participants list ${quoted(roomId)}`,
  ];
  return (
    <section class="panel commands">
      <h2>On the command line</h2>
      <ul class="plain">
        {commands.map((command) => (
          <li key={command} class="command">
            <code>{command}</code>
            <button
              type="button"
              class="quiet square"
              aria-label={`Copy: ${command}`}
              onClick={() => copy(command, 'The command')}
            >
              <Icon name="copy" />
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** For a shell, and never taken for an option. */
function quoted(text: string): string {
  const word = /^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
  return text.startsWith('-') ? `-- ${word}` : word;
}

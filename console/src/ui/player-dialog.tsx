import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Recording } from '../api/contract.js';
import { ApiError, messageOf } from '../api/graphql.js';
import { mediaAddress, whyNotPlayable } from '../api/media.js';
import type { Desk } from '../state/desk.js';
import { notify } from '../state/notices.js';
import { instantWords } from '../words.js';
import { Dialog } from './dialog.js';
import { ErrorText } from './notices.js';

interface Props {
  desk: Desk;
  recording: Recording;
  onClosed: () => void;
}

export function PlayerDialog({ desk, recording, onClosed }: Props) {
  const address = useSignal<URL | null>(null);
  const error = useSignal<{ code: string; message: string } | null>(null);
  const fail = (problem: unknown): void => {
    const code = problem instanceof ApiError ? problem.code : 'INTERNAL';
    error.value = { code, message: messageOf(problem) };
  };
  useEffect(() => {
    mediaAddress(desk.api, recording.id).then((found) => (address.value = found), fail);
  }, [recording.id]);
  const explain = async (): Promise<void> => {
    if (address.value) fail(await whyNotPlayable(address.value));
  };
  const player = { controls: true, autoplay: true, src: address.value?.href, onError: () => void explain() };
  return (
    <Dialog title={`${recording.roomName}, ${instantWords(recording.requestedAt)}`} wide onClosed={onClosed}>
      {() => (
        <>
          {error.value && <ErrorText {...error.value} />}
          {!address.value && !error.value && <p class="empty">Loading…</p>}
          {address.value && (recording.audioOnly ? <audio {...player} /> : <video playsInline {...player} />)}
        </>
      )}
    </Dialog>
  );
}

interface DownloadProps {
  desk: Desk;
  recording: Recording;
  label: string;
}

export function DownloadButton({ desk, recording, label }: DownloadProps) {
  const download = async (): Promise<void> => {
    const address = await mediaAddress(desk.api, recording.id);
    address.searchParams.set('download', '1');
    const link = document.createElement('a');
    link.href = address.href;
    link.download = recording.filename?.split('/').at(-1) ?? '';
    link.click();
  };
  return (
    <button type="button" aria-label={label} onClick={() => void download().catch(notify)}>
      Download
    </button>
  );
}

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { RecordingDetail, ShareLink } from '../../api/contract.js';
import { CREATE_SHARE_LINK, REVOKE_SHARE_LINK, SHARE_LINKS } from '../../api/documents.js';
import { notify } from '../../state/notices.js';
import { countWords } from '../../words.js';
import { ActionButton } from '../action-button.js';
import { Choice } from '../choice.js';
import { useDesk } from '../desk-context.js';
import { Check } from '../field.js';
import { Secret } from '../secret.js';
import { Ago } from '../time.js';

const LIVES = [
  ['3600', 'an hour'],
  ['86400', 'a day'],
  ['604800', 'a week'],
  ['2592000', '30 days'],
] as const;

/** Links with which somebody without a key can watch; for who may share it. */
export function ShareLinks({ recording }: { recording: RecordingDetail }) {
  const desk = useDesk();
  const links = useSignal<readonly ShareLink[] | null>(null);
  const made = useSignal<string | null>(null);
  const life = useSignal<(typeof LIVES)[number][0]>('604800');
  const allowDownload = useSignal(false);
  const read = async (): Promise<void> => {
    links.value = (await desk.api.ask(SHARE_LINKS, { id: recording.id })).recording?.shareLinks ?? null;
  };
  useEffect(() => void read().catch(notify), [recording.id]);
  if (!desk.may('start') || links.value === null || recording.mediaPath === null) return null;
  const create = async (): Promise<void> => {
    const input = {
      recordingId: recording.id,
      expiresInSeconds: Number(life.value),
      allowDownload: allowDownload.value,
    };
    made.value = (await desk.api.ask(CREATE_SHARE_LINK, { input })).createShareLink.url;
    await read();
  };
  const revoke = async (id: string): Promise<void> => {
    await desk.api.ask(REVOKE_SHARE_LINK, { id });
    await read();
  };
  const open = links.value.filter(
    ({ revokedAt, expiresAt }) => revokedAt === null && Date.parse(expiresAt) > Date.now(),
  );
  return (
    <section class="panel share" tabIndex={-1}>
      <h2>Share links</h2>
      {open.map(({ id, expiresAt, createdBy, views }) => (
        <p key={id} class="row small">
          <span>
            ends <Ago at={expiresAt} />, by {createdBy}, {countWords(views, 'view')}
          </span>
          <ActionButton class="quiet dangerous" action={() => revoke(id)}>
            Revoke
          </ActionButton>
        </p>
      ))}
      {made.value !== null && <Secret text={made.value} what="The link" onDone={() => (made.value = null)} />}
      <div class="row wrap">
        <Choice
          label="Lives for"
          name="life"
          value={life.value}
          options={LIVES}
          onChoose={(one) => (life.value = one)}
        />
        <Check
          label="Download"
          name="allowDownload"
          checked={allowDownload.value}
          onCheck={(on) => (allowDownload.value = on)}
        />
        <ActionButton action={create}>Create a link</ActionButton>
      </div>
    </section>
  );
}

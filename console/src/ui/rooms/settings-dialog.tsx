import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import {
  type EncodingPreset,
  LAYOUTS,
  PRESETS,
  type RecordingLayout,
  type SettingsInput,
} from '../../api/contract.js';
import { CRASH_PROOF, UPDATE_ROOM } from '../../api/room-documents.js';
import { notify } from '../../state/notices.js';
import type { SeenRoom } from '../../state/rooms.js';
import { plainWords, presetWords } from '../../words.js';
import { Choice } from '../choice.js';
import { useDesk } from '../desk-context.js';
import { Check, Field } from '../field.js';
import { FormDialog } from '../form-dialog.js';

interface Props {
  room: SeenRoom;
  onDone: () => void;
  onClosed: () => void;
}

interface Form {
  readonly name: string;
  readonly enabled: boolean;
  readonly layout: RecordingLayout;
  readonly preset: EncodingPreset;
  readonly audioOnly: boolean;
  readonly restartWhenLost: boolean;
  readonly crashProof: boolean;
  readonly maxMinutes: string;
  readonly retentionDays: string;
  readonly autoRecordFrom: string;
}

export function SettingsDialog({ room, onDone, onClosed }: Props) {
  const desk = useDesk();
  const form = useSignal<Form>(formOf(room));
  const hasCrashProof = desk.serves('RoomRecordingSettingsInput.crashProof');
  const set = (some: Partial<Form>): void => {
    form.value = { ...form.value, ...some };
  };
  useEffect(() => {
    if (!hasCrashProof) return;
    desk.api.ask(CRASH_PROOF, { id: room.id }).then(({ room: read }) => {
      set({ crashProof: read?.recordingSettings.crashProof ?? false });
    }, notify);
  }, []);
  const save = async (): Promise<void> => {
    const input = {
      id: room.id,
      name: form.value.name.trim(),
      recordingSettings: toInput(form.value, hasCrashProof),
    };
    await desk.api.ask(UPDATE_ROOM, { input });
    onDone();
  };
  const { value } = form;
  return (
    <FormDialog title={`Settings of ${room.name}`} submit="Save" run={save} onClosed={onClosed}>
      <Field label="Name" name="name" required value={value.name} onText={(name) => set({ name })} />
      <Check
        label="May be recorded"
        name="enabled"
        checked={value.enabled}
        onCheck={(enabled) => set({ enabled })}
      />
      <Check
        label="Audio only"
        name="audioOnly"
        checked={value.audioOnly}
        onCheck={(audioOnly) => set({ audioOnly })}
      />
      <Choice
        label="Layout"
        name="layout"
        disabled={value.audioOnly}
        value={value.layout}
        options={LAYOUTS.map((one) => [one, plainWords(one)])}
        onChoose={(layout) => set({ layout })}
      />
      <Choice
        label="Quality"
        name="preset"
        disabled={value.audioOnly}
        value={value.preset}
        options={PRESETS.map((one) => [one, presetWords(one)])}
        onChoose={(preset) => set({ preset })}
      />
      <Count
        label="Stop after (minutes)"
        value={value.maxMinutes}
        empty="as the deployment"
        onText={(maxMinutes) => set({ maxMinutes })}
      />
      <Count
        label="Delete after (days)"
        value={value.retentionDays}
        empty="never"
        onText={(retentionDays) => set({ retentionDays })}
      />
      <Check
        label="Go on in a new recording when the recorder is lost"
        name="restartWhenLost"
        checked={value.restartWhenLost}
        onCheck={(restartWhenLost) => set({ restartWhenLost })}
      />
      {hasCrashProof && (
        <Check
          label="Crash-proof: a dead worker costs seconds, not the recording"
          name="crashProof"
          checked={value.crashProof}
          onCheck={(crashProof) => set({ crashProof })}
        />
      )}
      <Count
        label="Record by itself from so many publishers on"
        value={value.autoRecordFrom}
        empty="never"
        onText={(autoRecordFrom) => set({ autoRecordFrom })}
      />
    </FormDialog>
  );
}

interface CountProps {
  label: string;
  value: string;
  empty: string;
  onText: (text: string) => void;
}

function Count({ label, value, empty, onText }: CountProps) {
  return (
    <Field
      label={label}
      name={label}
      type="number"
      min="1"
      step="any"
      inputMode="decimal"
      placeholder={empty}
      value={value}
      onText={onText}
    />
  );
}

function formOf({ name, recordingSettings }: SeenRoom): Form {
  const { maxDurationMs, retentionDays, autoRecordFrom, ...others } = recordingSettings;
  return {
    ...others,
    name,
    crashProof: false,
    autoRecordFrom: String(autoRecordFrom ?? ''),
    maxMinutes: maxDurationMs === null ? '' : String(maxDurationMs / 60_000),
    retentionDays: String(retentionDays ?? ''),
  };
}

function toInput(form: Form, hasCrashProof: boolean): SettingsInput {
  const { name: _, maxMinutes, retentionDays, crashProof, autoRecordFrom, ...others } = form;
  return {
    ...others,
    maxDurationMs: maxMinutes === '' ? null : Math.round(Number(maxMinutes) * 60_000),
    retentionDays: retentionDays === '' ? null : Number(retentionDays),
    autoRecordFrom: autoRecordFrom === '' ? null : Number(autoRecordFrom),
    ...(hasCrashProof && { crashProof }),
  };
}

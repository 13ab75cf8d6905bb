import { type Signal, useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { LAYOUTS, PRESETS, type Room } from '../../api/contract.js';
import { ApiError } from '../../api/graphql.js';
import { type StartForm, StartKeys, toStartInput } from '../../start-form.js';
import { plainWords, presetWords } from '../../words.js';
import { Choice } from '../choice.js';
import { useDesk } from '../desk-context.js';
import { Check, Field } from '../field.js';
import { FormDialog } from '../form-dialog.js';

interface Props {
  room: Room;
  onClosed: () => void;
}

export function StartDialog({ room, onClosed }: Props) {
  const desk = useDesk();
  const { audioOnly } = room.recordingSettings;
  const form = useSignal<StartForm>({ audioOnly, layout: '', preset: '', maxMinutes: '', labels: '' });
  const keys = useMemo(() => new StartKeys(), []);
  const start = async (): Promise<void> => {
    const input = toStartInput(room.id, form.value);
    try {
      await desk.start(input, keys.keyFor(input));
      keys.outcomeKnown();
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 'UNREACHABLE')) keys.outcomeKnown();
      throw error;
    }
  };
  return (
    <FormDialog
      title={`Record ${room.name}`}
      submit={
        <>
          <span class="lamp" aria-hidden="true" /> Start recording
        </>
      }
      submitClass="primary record"
      run={start}
      onClosed={onClosed}
    >
      <PictureFields form={form} settings={room.recordingSettings} />
      <OtherFields form={form} />
    </FormDialog>
  );
}

interface PictureProps {
  form: Signal<StartForm>;
  settings: Room['recordingSettings'];
}

function PictureFields({ form, settings }: PictureProps) {
  const { audioOnly, layout, preset } = form.value;
  return (
    <>
      <Check
        label="Audio only"
        name="audioOnly"
        checked={audioOnly}
        onCheck={(checked) => change(form, { audioOnly: checked })}
      />
      <Choice
        label="Layout"
        name="layout"
        disabled={audioOnly}
        value={layout}
        options={[
          ['', `As the room: ${plainWords(settings.layout)}`],
          ...LAYOUTS.map((one) => [one, plainWords(one)] as const),
        ]}
        onChoose={(one) => change(form, { layout: one })}
      />
      <Choice
        label="Quality"
        name="preset"
        disabled={audioOnly}
        value={preset}
        options={[
          ['', `As the room: ${presetWords(settings.preset)}`],
          ...PRESETS.map((one) => [one, presetWords(one)] as const),
        ]}
        onChoose={(one) => change(form, { preset: one })}
      />
    </>
  );
}

function OtherFields({ form }: { form: Signal<StartForm> }) {
  return (
    <>
      <Field
        label="Stop after (minutes)"
        name="maxMinutes"
        type="number"
        min="0.1"
        step="any"
        inputMode="decimal"
        placeholder="as the room"
        value={form.value.maxMinutes}
        onText={(maxMinutes) => change(form, { maxMinutes })}
      />
      <label>
        Labels, one per line
        <textarea
          name="labels"
          rows={2}
          placeholder="course: physics"
          value={form.value.labels}
          onInput={(event) => change(form, { labels: event.currentTarget.value })}
        />
      </label>
    </>
  );
}

function change(form: Signal<StartForm>, some: Partial<StartForm>): void {
  form.value = { ...form.value, ...some };
}

import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { LAYOUTS, PRESETS } from '../api/contract.js';
import { ApiError } from '../api/graphql.js';
import type { Desk } from '../state/desk.js';
import type { SeenRoom } from '../state/rooms.js';
import { type StartForm, StartKeys, toStartInput } from '../start-form.js';
import { layoutWords, presetWords } from '../words.js';
import { Dialog } from './dialog.js';
import { Choice } from './choice.js';
import { ErrorText } from './notices.js';
import { useAction } from './use-action.js';

interface Props {
  desk: Desk;
  room: SeenRoom;
  onClosed: () => void;
}

export function StartDialog({ desk, room, onClosed }: Props) {
  const settings = room.recordingSettings;
  const form = useSignal<StartForm>({
    audioOnly: settings.audioOnly,
    layout: '',
    preset: '',
    maxMinutes: '',
    labels: '',
  });
  const keys = useMemo(() => new StartKeys(), []);
  const action = useAction();
  const set = (change: Partial<StartForm>): void => void (form.value = { ...form.value, ...change });

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
  const submit = async (close: () => void): Promise<void> => {
    if (await action.run(start)) close();
  };
  return (
    <Dialog title={`Record ${room.name}`} onClosed={onClosed}>
      {(close) => (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void submit(close);
          }}
        >
          <label class="check">
            <input
              type="checkbox"
              name="audioOnly"
              checked={form.value.audioOnly}
              onChange={(event) => set({ audioOnly: event.currentTarget.checked })}
            />
            Audio only
          </label>
          <Choice
            label="Layout"
            name="layout"
            disabled={form.value.audioOnly}
            value={form.value.layout}
            options={[
              ['', `As the room: ${layoutWords(settings.layout)}`],
              ...LAYOUTS.map((layout) => [layout, layoutWords(layout)] as const),
            ]}
            onChoose={(layout) => set({ layout })}
          />
          <Choice
            label="Quality"
            name="preset"
            disabled={form.value.audioOnly}
            value={form.value.preset}
            options={[
              ['', `As the room: ${presetWords(settings.preset)}`],
              ...PRESETS.map((preset) => [preset, presetWords(preset)] as const),
            ]}
            onChoose={(preset) => set({ preset })}
          />
          <label>
            Stop after (minutes)
            <input
              type="number"
              name="maxMinutes"
              min="0.1"
              step="any"
              inputMode="decimal"
              placeholder="as the room"
              value={form.value.maxMinutes}
              onInput={(event) => set({ maxMinutes: event.currentTarget.value })}
            />
          </label>
          <label>
            Labels, one per line
            <textarea
              name="labels"
              rows={2}
              placeholder="course: physics"
              value={form.value.labels}
              onInput={(event) => set({ labels: event.currentTarget.value })}
            />
          </label>
          {action.error && <ErrorText {...action.error} />}
          <div class="buttons end">
            <button type="button" class="quiet" onClick={close}>
              Cancel
            </button>
            <button type="submit" class="primary record" disabled={action.busy}>
              <span class="lamp" aria-hidden="true" /> Start recording
            </button>
          </div>
        </form>
      )}
    </Dialog>
  );
}

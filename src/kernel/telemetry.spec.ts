import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { emitTelemetry, onTelemetry } from './telemetry.js';

const taskEnds = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('what happens in this process', () => {
  it('is heard by who begins to listen when memory was just cleared', async () => {
    setFlagsFromString('--expose_gc');
    const clearMemory = runInNewContext('gc') as () => void;
    let heard = 0;
    // Nobody listens yet: Node may forget the channel, and notices some time later that it has.
    emitTelemetry('room-unrecorded', { seconds: 1 });
    await taskEnds();
    clearMemory();
    const stop = onTelemetry('room-unrecorded', ({ seconds }) => (heard += seconds));
    for (let i = 0; i < 20; i += 1) await taskEnds();
    emitTelemetry('room-unrecorded', { seconds: 3 });
    expect(heard).toBe(3);
    stop();
    emitTelemetry('room-unrecorded', { seconds: 3 });
    expect(heard).toBe(3);
  });
});

import { egressCases } from './livekit-egress-cases.js';
import { questionCases } from './livekit-question-cases.js';
import { type Cannot, type Rig, RigRun } from './livekit-rig.js';

const CASE_LIMIT_MS = 180_000;

/** The battery of the LiveKit port: the same for the simulator and for a real server. */
export function livekitBattery(name: string, open: () => Promise<Rig>, cannot: Cannot = {}): void {
  describe(`LiveKit as the port shows it: ${name}`, () => {
    let rig: Rig;
    let run: RigRun;

    beforeAll(async () => {
      rig = await open();
      run = new RigRun(rig);
    }, CASE_LIMIT_MS);
    afterEach(() => run?.cleanUp(), CASE_LIMIT_MS);
    afterAll(() => rig?.close(), CASE_LIMIT_MS);

    for (const { title, needs, body } of [...questionCases, ...egressCases]) {
      const why = needs && cannot[needs];
      if (why === undefined) it(title, () => body(rig, run), CASE_LIMIT_MS);
      else it.skip(`${title} (not here: ${why})`, () => body(rig, run));
    }

    it('every webhook that came was signed by this server', () => {
      expect(rig.events().length).toBeGreaterThan(0);
      expect(rig.refusedWebhooks()).toEqual([]);
    });
  });
}

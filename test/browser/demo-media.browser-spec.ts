import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoMedia, demoSegments } from '../../src/embedded/demo-media/demo-media.js';
import { joinSegments } from '../../src/recordings/segments/join-segments.js';
import { ConsoleBrowser } from '../support/console.js';
import { asSegments } from '../support/made-segments.js';

const DURATION_MS = 5_432;
const record = demoMedia(() => ['ada', 'grace']);
const makeSegment = demoSegments(() => ['ada', 'grace']);

/** What a player makes of a file; of a video also which pictures it shows at some moments, as sums of their pixels. */
interface Played {
  readonly duration: number;
  readonly width: number;
  readonly height: number;
  /** Of the lower tenth, where the clock is, and of what is above it. */
  readonly shown: readonly { readonly clock: string; readonly rest: string }[];
  readonly colours: number;
}

/** In the page. */
const PLAY = `async ([base64, type, moments]) => {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const player = document.createElement('video');
  player.muted = true;
  player.src = URL.createObjectURL(new Blob([bytes], { type }));
  const on = (name) => new Promise((resolve, reject) => {
    player['on' + name] = resolve;
    player.onerror = () => reject(new Error(player.error.message));
  });
  await on('loadeddata');
  const { duration, videoWidth: width, videoHeight: height } = player;
  const canvas = new OffscreenCanvas(width || 1, height || 1);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const digest = async (top, rows) => {
    const { data } = context.getImageData(0, top, width, rows);
    return { data, text: [...new Uint8Array(await crypto.subtle.digest('SHA-256', data))].join() };
  };
  const shown = [];
  let colours = 0;
  // A seek that is over may still show the picture of before.
  const shows = (moment) => new Promise((resolve) => {
    const look = (_now, { mediaTime }) =>
      Math.abs(mediaTime - moment) < 0.05 ? resolve() : player.requestVideoFrameCallback(look);
    player.requestVideoFrameCallback(look);
  });
  document.body.append(player);
  for (const moment of moments) {
    const sought = Promise.all([on('seeked'), width === 0 ? null : shows(moment)]);
    player.currentTime = moment;
    await sought;
    if (width === 0) continue;
    context.drawImage(player, 0, 0);
    const clockTop = Math.floor(height * 0.88);
    const rest = await digest(0, clockTop);
    shown.push({ clock: (await digest(clockTop, height - clockTop)).text, rest: rest.text });
    colours = new Set(new Uint32Array(rest.data.buffer)).size;
  }
  await player.play();
  await on('ended');
  return { duration, width, height, shown, colours };
}`;

describe('what the embedded simulator records, in a player', () => {
  let browser: ConsoleBrowser;
  beforeAll(async () => {
    browser = await ConsoleBrowser.launch();
    // Digests are for pages of a secure origin alone.
    await browser.newPage('http://localhost');
    await browser.page.route('**/*', (route) => route.fulfill({ contentType: 'text/html', body: '<p>' }));
    await browser.page.goto('http://localhost/');
  });
  afterAll(() => browser?.close());

  const play = async (
    filename: string,
    picture: { width: number; height: number; framesPerSecond: number } | null,
  ): Promise<Played> => {
    const media = await record({ filename, picture, roomName: 'Daily stand-up', durationMs: DURATION_MS });
    return playBytes(filename, Buffer.concat([...media.chunks]));
  };
  const playBytes = (filename: string, bytes: Buffer): Promise<Played> => {
    const base64 = bytes.toString('base64');
    const type = filename.endsWith('.ogg') ? 'audio/ogg' : 'video/mp4';
    const argument = JSON.stringify([base64, type, [0.5, 1.2, 1.8, 2.2, 3.5, 5.3]]);
    return browser.page.evaluate<Played>(`(${PLAY})(${argument})`);
  };

  test.each([
    { width: 1280, height: 720, framesPerSecond: 30 },
    { width: 1920, height: 1080, framesPerSecond: 60 },
    { width: 720, height: 1280, framesPerSecond: 30 },
    { width: 1080, height: 1920, framesPerSecond: 30 },
  ])(
    'a video of $width x $height plays to its end; its clock runs, and nothing else moves',
    async (picture) => {
      const { duration, width, height, shown, colours } = await play('rec.mp4', picture);
      expect(duration).toBeCloseTo(DURATION_MS / 1_000, 3);
      expect({ width, height }).toEqual({ width: picture.width, height: picture.height });
      // Exactly what was drawn: ground, two tiles, ink, names, DEMO, and where their colours meet in between.
      expect(colours).toBeLessThan(60);
      expect(new Set(shown.map(({ rest }) => rest)).size).toBe(1);
      const clocks = shown.map(({ clock }) => clock);
      expect(clocks[1]).toBe(clocks[2]);
      expect(new Set(clocks).size).toBe(5);
    },
  );

  test('its segments, joined, play to their end with the same picture and the same clock as the file', async () => {
    const picture = { width: 1280, height: 720, framesPerSecond: 30 };
    const segments: Buffer[] = [];
    for (const [startsAt, end] of [
      [0, 2.013] as const,
      [2.013, 4.02] as const,
      [4.02, DURATION_MS / 1_000] as const,
    ])
      segments.push(
        await makeSegment({ roomName: 'Daily stand-up', picture, startsAt, seconds: end - startsAt }),
      );
    const folder = await mkdtemp(join(tmpdir(), 'tallylight-segments-'));
    const target = join(folder, 'rec.mp4');
    const joined = await joinSegments(asSegments(segments), target);
    const played = await playBytes('rec.mp4', await readFile(target));
    await rm(folder, { recursive: true });
    expect(joined).toMatchObject({ joined: 3, skipped: [], gaps: [] });
    expect(played.duration).toBeCloseTo(DURATION_MS / 1_000, 1);
    const { shown, width, height } = await play('rec.mp4', picture);
    expect(played).toMatchObject({ shown, width, height });
  });

  test.each(['rec.mp4', 'rec.ogg'])('audio alone plays to its end: %s', async (filename) => {
    const { duration } = await play(filename, null);
    expect(duration).toBeCloseTo(DURATION_MS / 1_000, 3);
  });
});

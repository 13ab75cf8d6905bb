import type { Recording } from '../recordings/domain/recording.js';
import { attachment, mediaFilename } from './media-filename.js';

const named = (roomName: string, changes: Partial<Recording> = {}): string =>
  mediaFilename({
    id: 'rec_01JD8PZ5Y3V9W6X2K4M7N0QRST',
    roomName,
    audioOnly: false,
    requestedAt: Date.UTC(2026, 10, 25, 0, 51, 36),
    startedAt: Date.UTC(2026, 10, 25, 0, 51, 40),
    ...changes,
  } as Recording);

describe('the name of a downloaded recording', () => {
  it('is the room and the time it began', () => {
    expect(named('Weekly standup')).toBe('Weekly standup 2026-11-25 00-51-40.mp4');
    expect(named('Weekly standup', { startedAt: null, audioOnly: true })).toBe(
      'Weekly standup 2026-11-25 00-51-36.ogg',
    );
  });

  it.each([
    ['../../etc/passwd', 'etc-passwd'],
    ['a/b\\c:d*e?f"g<h>i|j', 'a-b-c-d-e-f-g-h-i-j'],
    ['line\r\nSet-Cookie: x', 'line-Set-Cookie- x'],
    ['evil\u202Egpj', 'evil-gpj'],
    ['.hidden', 'hidden'],
    ['', 'rec_01JD8PZ5Y3V9W6X2K4M7N0QRST'],
    ['...', 'rec_01JD8PZ5Y3V9W6X2K4M7N0QRST'],
    ['Grüße 🎬', 'Grüße 🎬'],
  ])('makes of the room %j the beginning %j', (roomName, beginning) => {
    expect(named(roomName)).toBe(`${beginning} 2026-11-25 00-51-40.mp4`);
  });

  it('stays short', () => {
    expect(Buffer.byteLength(named('x'.repeat(5_000)))).toBeLessThan(150);
  });
});

describe('Content-Disposition', () => {
  it('says a plain name plainly', () => {
    expect(attachment('a b.mp4')).toBe('attachment; filename="a b.mp4"');
  });

  it('says any other name exactly, beside a plain one', () => {
    expect(attachment("Grüße (1)'100%.mp4")).toBe(
      `attachment; filename="Gr__e (1)'100_.mp4"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%281%29%27100%25.mp4`,
    );
  });
});

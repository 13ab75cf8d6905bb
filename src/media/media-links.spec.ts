import { aConfig } from '../../test/support/a-config.js';
import { SystemClock } from '../kernel/clock.js';
import { MediaLinks } from './media-links.js';
import { MediaTokens } from './media-token.js';

describe('the life of a link that nobody said a time for', () => {
  const config = aConfig();
  const links = new MediaLinks(config, new MediaTokens(config, new SystemClock()));

  it.each([
    [null, 3_600],
    [0, 3_600],
    [1_500, 3_602],
    [3 * 3_600_000, 4 * 3_600],
    [23 * 3_600_000, 86_400],
    [40 * 3_600_000, 86_400],
  ])('of a recording of %s ms is %i s', (durationMs, seconds) => {
    expect(links.lifeOf(durationMs)).toBe(seconds);
  });
});

import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeJoinsBefore } from './segment-joiner.js';

describe('what a killed join left', () => {
  it('is removed once it is old, and nothing else is', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tallylight-old-joins-'));
    const longAgo = new Date(Date.UTC(2020, 0, 1));
    for (const name of ['tallylight-join-old', 'tallylight-join-new', 'somebody-elses']) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'joined.mp4'), 'media');
      if (name !== 'tallylight-join-new') await utimes(join(folder, name), longAgo, longAgo);
    }
    await removeJoinsBefore(Date.UTC(2021, 0, 1), folder);
    expect((await readdir(folder)).toSorted()).toEqual(['somebody-elses', 'tallylight-join-new']);
    await rm(folder, { recursive: true });
  });
});

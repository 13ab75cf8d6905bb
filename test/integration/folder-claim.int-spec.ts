import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../../src/kernel/clock.js';
import { StartFault } from '../../src/kernel/start-fault.js';
import { FileObjectStorage } from '../../src/storage/file-object-storage.js';
import { FolderClaim } from '../../src/storage/folder-claim.js';
import { aConfig } from '../support/a-config.js';

describe('a folder of a deployment', () => {
  const clock = new SystemClock();
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tallylight-claim-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const boot = (id?: string): Promise<void> => {
    const config = aConfig({ STORAGE_URL: `file:${folder}`, ...(id && { DEPLOYMENT_ID: id }) });
    return new FolderClaim(config, new FileObjectStorage(folder, clock), clock).onModuleInit();
  };
  const mark = async (): Promise<{ deployment: string }> =>
    JSON.parse(await readFile(join(folder, 'deployment.json'), 'utf8'));

  it('is marked once, also by several that start at the same time, and names itself where nothing else does', async () => {
    await Promise.all([boot(), boot(), boot()]);
    const first = await mark();
    expect(first.deployment).toMatch(/./);
    await boot();
    expect(await mark()).toEqual(first);
    expect((await readdir(folder)).toSorted()).toEqual(['.tmp', 'deployment.json']);
  });

  it('takes the name that is configured, and keeps it', async () => {
    await boot();
    await boot('staging');
    expect(await mark()).toMatchObject({ deployment: 'staging' });
    await boot('staging');
    await boot();
    expect(await mark()).toMatchObject({ deployment: 'staging' });
  });

  it('does not start another deployment, and says in one sentence what to do', async () => {
    await boot('staging');
    const refused = await boot('production').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StartFault);
    const { message } = refused as StartFault;
    for (const word of [
      folder,
      '"staging"',
      'DEPLOYMENT_ID is "production"',
      'STORAGE_URL',
      'deployment.json',
    ])
      expect(message).toContain(word);
    expect(message).not.toContain('\n');
    await rm(join(folder, 'deployment.json'));
    await boot('production');
  });

  it.each(['', '{', '[]', '{"deployment":7}', 'null'])(
    'is not overwritten where its mark reads %j',
    async (text) => {
      await writeFile(join(folder, 'deployment.json'), text);
      await expect(boot('a')).rejects.toThrow('does not say which deployment');
      await expect(boot()).rejects.toThrow(StartFault);
    },
  );

  it('holds up no start while it is unavailable', async () => {
    await rm(folder, { recursive: true });
    await writeFile(folder, 'no folder');
    await expect(boot('a')).resolves.toBeUndefined();
  });
});

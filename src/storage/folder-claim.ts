import { link, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { Config } from '../config/config.js';
import { Clock } from '../kernel/clock.js';
import { newToken } from '../kernel/ids.js';
import { isErrno, StartFault } from '../kernel/start-fault.js';
import { DEPLOYMENT_KEY } from './object-keys.js';
import { ObjectStorage } from './object-storage.port.js';

interface Mark {
  readonly deployment: string;
  /** False: it was made up because none was configured, and gives way to one that is. */
  readonly configured: boolean;
}

/**
 * A request to write into a folder has no place for the name of a deployment, so the folder carries it: two deployments that
 * share one would end each other's recordings, and the second one does not start.
 */
@Injectable()
export class FolderClaim implements OnModuleInit {
  private readonly log = new Logger('Storage');

  constructor(
    private readonly config: Config,
    private readonly storage: ObjectStorage,
    private readonly clock: Clock,
  ) {}

  /** Throws StartFault where the folder is another deployment's. A folder that is unavailable holds up no start. */
  async onModuleInit(): Promise<void> {
    const { storage } = this.config;
    if (storage.kind !== 'file') return;
    try {
      const mark = await this.claim(storage.folder, storage.deployment);
      if (storage.deployment !== null && mark.deployment !== storage.deployment) {
        throw anotherDeployment(storage.folder, mark.deployment, storage.deployment);
      }
    } catch (error) {
      if (error instanceof StartFault) throw error;
      this.log.warn({
        event: 'folder_not_claimed',
        message: 'it could not be read whose folder this is; it is looked at again at the next start',
        err: error,
      });
    }
  }

  private async claim(folder: string, configured: string | null): Promise<Mark> {
    const found = await this.read(folder);
    if (found?.configured || (found && configured === null)) return found;
    const mark = { deployment: configured ?? newToken(), configured: configured !== null };
    const body = Buffer.from(JSON.stringify({ ...mark, since: new Date(this.clock.now()).toISOString() }));
    if (found) {
      await this.storage.put(DEPLOYMENT_KEY, body, 'application/json');
      return mark;
    }
    return (await this.putFirst(folder, body)) ? mark : ((await this.read(folder)) ?? mark);
  }

  /** False: another process was faster. */
  private async putFirst(folder: string, body: Buffer): Promise<boolean> {
    const aside = `${DEPLOYMENT_KEY}.${newToken()}`;
    await this.storage.put(aside, body, 'application/json');
    try {
      await link(join(folder, aside), join(folder, DEPLOYMENT_KEY));
      return true;
    } catch (error) {
      if (isErrno(error, 'EEXIST')) return false;
      throw error;
    } finally {
      await rm(join(folder, aside), { force: true });
    }
  }

  private async read(folder: string): Promise<Mark | null> {
    const body = await this.storage.get(DEPLOYMENT_KEY);
    if (body === null) return null;
    const { deployment, configured } = parse(body);
    if (typeof deployment === 'string') return { deployment, configured: configured === true };
    throw new StartFault(
      `${join(folder, DEPLOYMENT_KEY)} does not say which deployment this folder belongs to: delete that file if no other deployment uses the folder.`,
    );
  }
}

function parse(body: Buffer): { readonly deployment?: unknown; readonly configured?: unknown } {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null ? value : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

function anotherDeployment(folder: string, theirs: string, ours: string): StartFault {
  return new StartFault(
    `The folder ${folder} belongs to the deployment ${JSON.stringify(theirs.slice(0, 128))}, and DEPLOYMENT_ID is "${ours}": ` +
      `give each deployment a folder of its own in STORAGE_URL, or delete ${join(folder, DEPLOYMENT_KEY)} where this one was renamed.`,
  );
}

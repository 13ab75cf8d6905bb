import { signal } from '@preact/signals';
import type { BulkDeletion } from '../api/contract.js';
import { BULK_DELETION, DELETE_MANY } from '../api/documents.js';
import { type Api, ApiError, messageOf } from '../api/graphql.js';
import { pause } from '../api/pause.js';
import { store } from './session.js';

const STORED_AS = 'tallylight.deletion';
const LOOK_EVERY_MS = 500;

/** The bulk deletion that is under way or was the last one, until it is dismissed; found again after a reload. */
export class Deletions {
  readonly current = signal<BulkDeletion | null>(null);
  readonly problem = signal<string | null>(null);
  private followed: string | null = null;

  constructor(private readonly api: Api) {
    const kept = store('sessionStorage')?.getItem(STORED_AS);
    if (kept) void this.follow(kept);
  }

  close(): void {
    this.followed = null;
  }

  /** What would be deleted and what would not, without deleting anything. */
  async dryRun(ids: readonly string[]): Promise<BulkDeletion> {
    const { deleteRecordings } = await this.api.ask(DELETE_MANY, { ids: [...ids], dryRun: true });
    let run: BulkDeletion = deleteRecordings;
    while (run.finishedAt === null) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      run = (await this.read(run.id)) ?? run;
    }
    return run;
  }

  async start(ids: readonly string[]): Promise<void> {
    const { deleteRecordings } = await this.api.ask(DELETE_MANY, { ids: [...ids], dryRun: false });
    this.current.value = deleteRecordings;
    void this.follow(deleteRecordings.id);
  }

  dismiss(): void {
    this.followed = null;
    this.current.value = null;
    this.problem.value = null;
    store('sessionStorage')?.removeItem(STORED_AS);
  }

  /** Also of a room's deletion, whose job the server has started. */
  async follow(id: string): Promise<void> {
    this.followed = id;
    store('sessionStorage')?.setItem(STORED_AS, id);
    let failures = 0;
    while (this.followed === id) {
      try {
        const run = await this.read(id);
        if (this.followed !== id) return;
        if (run === null) return this.dismiss();
        this.current.value = run;
        this.problem.value = null;
        failures = 0;
        if (run.finishedAt !== null) return;
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      } catch (error) {
        this.problem.value = messageOf(error);
        if (error instanceof ApiError && error.code !== 'UNREACHABLE' && failures > 3) return;
        await pause(failures++);
      }
    }
  }

  private async read(id: string): Promise<BulkDeletion | null> {
    return (await this.api.ask(BULK_DELETION, { id })).bulkDeletion;
  }
}

import { Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Config } from '../../config/config.js';
import { Clock } from '../../kernel/clock.js';
import { KeptStore } from '../../kept/kept.store.js';
import { KeptWriter } from '../../kept/kept.writer.js';
import { LeaseKeeper } from '../../locks/lease-keeper.js';
import { FindRecordings } from '../../recordings/use-cases/find-recordings.js';
import { SHARE_LINKS, type ShareLinksDoc, tidied } from '../domain/share-link.js';
import { changeOf } from './share-recording.js';

const EVERY_MS = 3_600_000;
const LEASE_MS = 30_000;

/** Drops links that have long been over, and those of recordings that are gone. */
@Injectable()
export class TidyShareLinks {
  private readonly log = new Logger('ShareLinks');

  constructor(
    private readonly store: KeptStore,
    private readonly writer: KeptWriter,
    private readonly recordings: FindRecordings,
    private readonly leases: LeaseKeeper,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  @Interval(EVERY_MS)
  async tick(): Promise<void> {
    if (this.config.role === 'api') return;
    try {
      await this.leases.withLease('tidy-share-links', LEASE_MS, (signal) => this.execute(signal));
    } catch (error) {
      this.log.debug({
        event: 'share_links_not_tidied',
        message: 'tried again in an hour',
        cause: String(error),
      });
    }
  }

  async execute(signal: AbortSignal): Promise<void> {
    for (const { id, doc } of await this.store.all<ShareLinksDoc>(SHARE_LINKS)) {
      if (signal.aborted) return;
      const gone = (await this.recordings.stored(doc.recordingId)) === null;
      if (gone || tidied(doc, this.clock.now()).links.length === 0) await this.writer.remove(SHARE_LINKS, id);
      else await this.tidy(id);
    }
  }

  private async tidy(id: string): Promise<void> {
    await this.writer.update<ShareLinksDoc>(
      SHARE_LINKS,
      id,
      ({ doc }) => {
        const next = tidied(doc, this.clock.now());
        return next.links.length === doc.links.length ? null : changeOf(next);
      },
      { durable: 'later' },
    );
  }
}

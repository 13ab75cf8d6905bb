import type { LifecycleRule } from '@aws-sdk/client-s3';
import { ACCESS_PREFIX, MEDIA_PREFIX, METADATA_PREFIX, ROOM_PREFIX } from './object-keys.js';

/** Nothing can be read of what is in them before it is restored. */
const ARCHIVES: ReadonlySet<string | undefined> = new Set(['GLACIER', 'DEEP_ARCHIVE']);
const RECORDS = [ACCESS_PREFIX, ROOM_PREFIX, METADATA_PREFIX];

/** What rules of the bucket would archive or expire of ours; `root` is the prefix with its slash, or empty. */
export function lifecycleNotices(rules: readonly LifecycleRule[], root: string): string[] {
  return rules.flatMap((rule) => {
    const { Filter: filter, ID: id } = rule;
    // Nothing of ours has a tag.
    const isOfTags = filter?.Tag !== undefined || (filter?.And?.Tags?.length ?? 0) > 0;
    if (rule.Status !== 'Enabled' || isOfTags) return [];
    const prefix = filter?.Prefix ?? filter?.And?.Prefix ?? prefixOf(rule) ?? '';
    const touches = (ours: string): boolean =>
      `${root}${ours}`.startsWith(prefix) || prefix.startsWith(`${root}${ours}`);
    const records = RECORDS.filter(touches);
    const deed = deedOf(rule);
    if (deed === null || (records.length === 0 && !touches(MEDIA_PREFIX))) return [];
    const named = `the rule ${JSON.stringify((id ?? '').slice(0, 64))} of the bucket's lifecycle ${deed} what is under ${JSON.stringify(prefix.slice(0, 128))}`;
    if (records.length > 0) {
      return [
        `${named}: recordings and keys are lost with ${records.join(', ')}; keep the rule away from there`,
      ];
    }
    return [
      deed === 'expires'
        ? `${named}: media is lost without its recording; let retentionDays of the rooms do that`
        : `${named}: media that it took is answered with MEDIA_GONE until it is restored`,
    ];
  });
}

function deedOf({ Expiration: expiration, Transitions: transitions }: LifecycleRule): string | null {
  if (expiration?.Days !== undefined || expiration?.Date !== undefined) return 'expires';
  return (transitions ?? []).some(({ StorageClass }) => ARCHIVES.has(StorageClass)) ? 'archives' : null;
}

/** As rules were written before there were filters. */
function prefixOf(rule: LifecycleRule): string | undefined {
  return (rule as { Prefix?: string }).Prefix;
}

/** `offsetMs`: what the SDK adds to this machine's clock since the store refused or dated an answer otherwise. */
export function skewNotice(offsetMs: number): string | null {
  const minutes = Math.round(Math.abs(offsetMs) / 60_000);
  if (minutes === 0) return null;
  const side = offsetMs > 0 ? 'behind' : 'ahead of';
  return `the clock of this machine is ${minutes} minutes ${side} the store's: set it right (NTP)`;
}

const SUBJECTS = ['recordingId', 'bulkDeletionId', 'roomId', 'sweep'];

/** The job's name and what it is about, as in `reconcile-recording rec_…` or `apply-livekit-event egress ACTIVE daily`. */
export function jobTitle(name: string, data: unknown): string {
  if (!isRecord(data)) return name;
  const subject = isRecord(data.event) ? eventTitle(data.event) : textsOf(data, SUBJECTS).slice(0, 1);
  return [name, ...subject].join(' ');
}

function eventTitle(event: Readonly<Record<string, unknown>>): string[] {
  const egress = isRecord(event.egress) ? event.egress : {};
  const place = textsOf(event, ['roomName', 'identity']);
  return [...textsOf(event, ['kind', 'name']), ...textsOf(egress, ['status', 'roomName']), ...place];
}

function textsOf(data: Readonly<Record<string, unknown>>, keys: readonly string[]): string[] {
  return keys.map((key) => data[key]).filter((value) => typeof value === 'string');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

import type { Recording } from '../api/contract.js';
import { type Api, ApiError, readBody, serverUrl } from '../api/graphql.js';
import { mediaAddress } from '../api/media.js';

/** Lets the browser save a recording's media. */
export async function download(api: Api, recording: Pick<Recording, 'id' | 'filename'>): Promise<void> {
  const address = await mediaAddress(api, recording.id);
  address.searchParams.set('download', '1');
  save(address.href, recording.filename?.split('/').at(-1) ?? '');
}

/** As many as an archive takes, and as much as a browser holds before it is saved. */
export const MOST_IN_ARCHIVE = 100;
const MOST_ARCHIVE_BYTES = 2e9;

/** A ZIP of several. It needs the credential in a header, which only a request of the page itself can send. */
export async function downloadArchive(api: Api, recordings: readonly Recording[]): Promise<void> {
  const bytes = recordings.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
  if (bytes > MOST_ARCHIVE_BYTES) {
    throw new ApiError(
      'TOO_LARGE',
      'these are more than 2 GB; select fewer, or use the API: /recordings/archive?ids=…',
    );
  }
  const address = serverUrl('recordings/archive');
  address.searchParams.set('ids', recordings.map(({ id }) => id).join(','));
  const response = await fetch(address, { headers: { authorization: `Bearer ${api.credential}` } });
  if (!response.ok) await readBody(response);
  const url = URL.createObjectURL(await response.blob());
  save(url, 'recordings.zip');
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function save(href: string, name: string): void {
  const link = document.createElement('a');
  link.href = href;
  link.download = name;
  link.click();
}

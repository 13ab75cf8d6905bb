import { MEDIA } from './documents.js';
import { type Api, ApiError, readBody, serverUrl } from './graphql.js';

/**
 * An address of a recording's media that a player can open, on the server that sent this page: the link that is handed
 * out names PUBLIC_URL, which may be another name of the same server.
 */
export async function mediaAddress(api: Api, recordingId: string): Promise<URL> {
  const { recording } = await api.ask(MEDIA, { id: recordingId });
  if (!recording?.mediaPath || !recording.mediaUrl) {
    throw new ApiError('MEDIA_GONE', `recording ${recordingId} has no media, or no longer`);
  }
  const address = serverUrl(recording.mediaPath);
  address.search = new URL(recording.mediaUrl, document.baseURI).search;
  return address;
}

/** Asks the server why a player could not play: the player itself only says that it couldn't. */
export async function whyNotPlayable(address: URL): Promise<ApiError> {
  try {
    const response = await fetch(address, { headers: { range: 'bytes=0-0' } });
    if (!response.ok) await readBody(response);
    return new ApiError('MEDIA', 'this browser cannot play this recording; it can be downloaded');
  } catch (error) {
    return error instanceof ApiError ? error : new ApiError('UNREACHABLE', 'the server could not be reached');
  }
}

const PLACEHOLDER = 'tl_… (an API key) or a LiveKit access token';

export const FIRST_QUERY = `# The credential stands below, under "Headers".
# The documentation is behind the book at the left.

query Look {
  rooms {
    nodes { id name live { numParticipants } activeRecording { id status } }
  }
  recordings(first: 5) {
    totalCount
    eventCursor
    nodes { id roomName status version durationMs sizeBytes endReason error mediaUrl }
  }
}

subscription Follow {
  recordingEvents { cursor type at cause previousStatus recording { id roomName status version } }
}
`;

/** What the header editor shows at first: a JSON object of HTTP headers. */
export function headersFor(key: string | null): string {
  return JSON.stringify({ Authorization: `Bearer ${key ?? PLACEHOLDER}` }, null, 2);
}

/** The Authorization header in the editor's text; undefined while that is no JSON object or has none. */
export function authorizationIn(headers: string): string | undefined {
  try {
    const parsed = JSON.parse(headers) as Record<string, unknown>;
    const entry = Object.entries(parsed).find(([name]) => name.toLowerCase() === 'authorization');
    return typeof entry?.[1] === 'string' ? entry[1] : undefined;
  } catch (error) {
    console.info('the headers are no JSON object:', error);
    return undefined;
  }
}

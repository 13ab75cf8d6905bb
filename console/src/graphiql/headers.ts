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
export function headersFor(key: string): string {
  return JSON.stringify({ Authorization: `Bearer ${key}` }, null, 2);
}

/** `given`, with the editor's Authorization where it has none. */
export function withAuthorization(given: Record<string, string>, editor: string): Record<string, string> {
  if (Object.keys(given).some((name) => name.toLowerCase() === 'authorization')) return given;
  const authorization = authorizationIn(editor);
  return authorization === undefined ? given : { ...given, authorization };
}

/** The Authorization header in the editor's text; undefined while that is no JSON object or has none. */
export function authorizationIn(headers: string): string | undefined {
  try {
    const parsed = JSON.parse(headers) as Record<string, unknown>;
    const entry = Object.entries(parsed).find(([name]) => name.toLowerCase() === 'authorization');
    return typeof entry?.[1] === 'string' ? entry[1] : undefined;
  } catch (error) {
    console.warn('the headers are no JSON object:', error);
    return undefined;
  }
}

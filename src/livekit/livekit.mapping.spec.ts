import {
  EgressInfo,
  EgressStatus,
  FileInfo,
  ListEgressResponse,
  ListParticipantsResponse,
  ListRoomsResponse,
  WebhookEvent,
} from '@livekit/protocol';
import { GOLDEN_CASES, goldenCase } from '../../test/support/golden-payloads.js';
import { sanitizeEgressError } from './egress-errors.js';
import {
  parseEgressStatus,
  toEgressSeen,
  toLiveKitEvent,
  toLiveRoomSeen,
  toParticipantSeen,
} from './livekit.mapping.js';
import type { EgressSeen } from './livekit.types.js';

const LENIENT = { ignoreUnknownFields: true };

/** The statuses, end cause, error and file of every egress event, in the order of arrival. */
function egressStory(name: string): string[] {
  return goldenCase(name)
    .webhooks.map(({ body }) => toLiveKitEvent(WebhookEvent.fromJsonString(body, LENIENT), 'none'))
    .flatMap((event) => (event.kind === 'egress' ? [event.egress] : []))
    .map(({ status, endCause, errorCode, file }) =>
      [status, endCause, errorCode || null, file?.uploaded ? 'uploaded' : null].filter(Boolean).join(' '),
    );
}

/** What ListEgress said last in a case. */
function lastListed(name: string): EgressSeen {
  const listed = goldenCase(name)
    .calls.filter(({ method, status }) => method.endsWith('/ListEgress') && status === 200)
    .flatMap(({ response }) => ListEgressResponse.fromJsonString(response, LENIENT).items);
  return toEgressSeen(listed.at(-1)!);
}

function egress(more: Record<string, unknown>): EgressSeen {
  return toEgressSeen(EgressInfo.fromJson({ egressId: 'EG_1', ...more } as never, LENIENT));
}

describe('an egress as a real server showed it', () => {
  it.each([
    ['audio-complete', ['STARTING', 'ACTIVE', 'ENDING stop-api', 'COMPLETE stop-api uploaded']],
    ['video-complete', ['STARTING', 'ACTIVE', 'ENDING stop-api', 'COMPLETE stop-api uploaded']],
    ['file-and-segments', ['STARTING', 'ACTIVE', 'ENDING stop-api', 'COMPLETE stop-api uploaded']],
    ['stopped-while-starting', ['STARTING', 'ABORTED stop-api 412']],
    [
      'room-deleted-while-active',
      ['STARTING', 'ACTIVE', 'ENDING source-closed', 'COMPLETE source-closed uploaded'],
    ],
    ['limit-reached', ['STARTING', 'ACTIVE', 'LIMIT_REACHED limit-reached 413 uploaded']],
    ['upload-refused', ['STARTING', 'ACTIVE', 'ENDING stop-api', 'FAILED stop-api 400']],
    ['launch-failed', ['STARTING', 'FAILED 500']],
    ['worker-killed', ['STARTING', 'ACTIVE']],
    ['refusals', []],
  ])('goes its way in %s', (name, story) => {
    expect(egressStory(name)).toEqual(story);
  });

  it('every case that was recorded is in the list above', () => {
    expect(GOLDEN_CASES.map(({ case: name }) => name)).toHaveLength(10);
  });

  it('has its file, times in ms and no error once it is complete', () => {
    expect(lastListed('audio-complete')).toEqual({
      egressId: 'EG_kb9t2XUApQX2',
      roomName: 'audio',
      roomSid: 'RM_g4KgX5fFezFZ',
      bucket: { name: 'rec', endpoint: 'http://127.0.0.1:9000', deployment: null },
      status: 'COMPLETE',
      filepath: 'tl/recordings/audio/rec_1.ogg',
      startedAtMs: 1795525253673,
      endedAtMs: 1795525256521,
      updatedAtMs: 1795525256521,
      file: {
        filename: 'tl/recordings/audio/rec_1.ogg',
        uploaded: true,
        startedAtMs: 1795525253985,
        endedAtMs: 1795525256405,
        durationMs: 2419,
        sizeBytes: 32418,
      },
      error: null,
      errorCode: 0,
      endCause: 'stop-api',
      mediaProblem: null,
      retryCount: 0,
      segmented: false,
    });
  });

  it('has a file that is not uploaded and no times of it when it was stopped before it began', () => {
    expect(lastListed('stopped-while-starting')).toMatchObject({
      status: 'ABORTED',
      error: expect.stringMatching(/: Start signal not received$/),
      file: { uploaded: false, startedAtMs: null, endedAtMs: null, durationMs: null, sizeBytes: null },
    });
  });

  it.each([
    'audio-complete',
    'video-complete',
    'limit-reached',
    'stopped-while-starting',
    'upload-refused',
    'room-deleted-while-active',
  ])('is the same in the last list and in the last webhook: %s', (name) => {
    const events = goldenCase(name).webhooks.map(({ body }) =>
      toLiveKitEvent(WebhookEvent.fromJsonString(body, LENIENT), 'none'),
    );
    expect(events.findLast(({ kind }) => kind === 'egress')).toMatchObject({ egress: lastListed(name) });
  });
});

describe('rooms and participants as a real server showed them', () => {
  const answers = GOLDEN_CASES.flatMap(({ calls }) => calls).filter(({ status }) => status === 200);

  it('a room has its counts, and a recorder in it is not counted', () => {
    const rooms = answers
      .filter(({ method }) => method.endsWith('/ListRooms'))
      .flatMap(({ response }) =>
        ListRoomsResponse.fromJsonString(response, LENIENT).rooms.map(toLiveRoomSeen),
      );
    expect(rooms).toContainEqual({
      name: 'audio',
      sid: 'RM_g4KgX5fFezFZ',
      numParticipants: 1,
      numPublishers: 1,
      activeRecording: true,
      createdAtMs: 1795525246803,
    });
  });

  it('a publisher publishes, a recorder is an egress and does not', () => {
    const { response } = answers.find(({ method }) => method.endsWith('/ListParticipants'))!;
    const seen = ListParticipantsResponse.fromJsonString(response, LENIENT).participants.map(
      toParticipantSeen,
    );
    expect(seen).toEqual(
      expect.arrayContaining([
        { identity: 'EG_kb9t2XUApQX2', kind: 'egress', publishes: false },
        { identity: 'pub-22588', kind: 'standard', publishes: true },
      ]),
    );
  });
});

describe('an egress of another kind or version', () => {
  it.each([
    ['room composite with outputs', { roomComposite: { fileOutputs: [{ filepath: 'a.mp4' }] } }, 'a.mp4'],
    [
      'room composite with the deprecated output',
      { roomComposite: { file: { filepath: 'b.mp4' } } },
      'b.mp4',
    ],
    ['second version', { egress: { outputs: [{ images: {} }, { file: { filepath: 'c.mp4' } }] } }, 'c.mp4'],
    ['web', { web: { fileOutputs: [{ filepath: 'd.mp4' }] } }, 'd.mp4'],
    ['participant', { participant: { fileOutputs: [{ filepath: 'e.mp4' }] } }, 'e.mp4'],
    ['track composite', { trackComposite: { file: { filepath: 'f.mp4' } } }, 'f.mp4'],
    ['track', { track: { file: { filepath: 'g.ogg' } } }, 'g.ogg'],
    [
      'file path left to the egress',
      { roomComposite: { fileOutputs: [{}] }, fileResults: [{ filename: 'h.mp4' }] },
      'h.mp4',
    ],
    ['deprecated result alone', { file: { filename: 'i.mp4' } }, 'i.mp4'],
    ['stream, without a file', { roomComposite: { streamOutputs: [{ urls: ['rtmp://x'] }] } }, null],
    ['unknown request', { replay: {} }, null],
  ])('has its file path: %s', (_kind, more, filepath) => {
    expect(egress(more).filepath).toBe(filepath);
  });

  it.each([
    ['has begun', { status: 99, fileResults: [{ filename: 'a', startedAt: '5' }] }, 'ACTIVE'],
    ['has not begun', { status: 99, fileResults: [{ filename: 'a' }] }, 'STARTING'],
    [
      'has ended with media',
      { status: 'EGRESS_NEW', endedAt: '9', fileResults: [{ location: 'x' }] },
      'COMPLETE',
    ],
    ['has ended without', { status: 'EGRESS_NEW', endedAt: '9' }, 'FAILED'],
  ])('in a status this version does not know %s', (_case, more, status) => {
    expect(egress(more).status).toBe(status);
  });

  it('without an egress id is shown without one', () => {
    expect(egress({ egressId: '', status: 'EGRESS_FAILED' })).toMatchObject({
      egressId: '',
      status: 'FAILED',
    });
  });

  it.each([
    ['End reason: Source closed', 'source-closed'],
    ['End reason: Process killed', 'process-killed'],
    ['End reason: CPU exhausted', 'cpu-exhausted'],
    ['End reason: All streams stopped', 'streams-stopped'],
    ['End reason: Failure', 'failure'],
    ['End reason: something newer', null],
    ['', null],
  ])('ends for the reason that its details give: %p', (details, cause) => {
    expect(egress({ details }).endCause).toBe(cause);
  });
});

describe('why an egress ended', () => {
  const failed = (details: string, error: string) =>
    egress({ details, error, status: EgressStatus.EGRESS_FAILED });

  it.each([
    ['End reason: Process killed', 'OOM: 3.2 GB used', 'out-of-memory'],
    ['End reason: Process killed', 'server is shutting down', 'process-killed'],
    ['End reason: CPU exhausted', 'CPU exhausted: 4.40 cores used', 'cpu-exhausted'],
    ['', 'signal: killed', 'recorder-crashed'],
    ['', 'exit status 1', 'recorder-crashed'],
    ['End reason: Failure', 'GStreamer error: Internal data stream error.', 'pipeline-failed'],
    ['End reason: Failure', 'pipeline frozen', 'pipeline-failed'],
    ['End reason: Failure', 'open /out/a: no space left on device', 'disk-full'],
    ['End reason: Failure', 'S3 upload failed: dial tcp: timeout', 'upload-failed'],
    ['End reason: StopEgress API', 'S3 upload failed: dial tcp: timeout', 'stop-api'],
    ['End reason: Failure', 'something that nobody has seen', 'failure'],
    ['', 'something that nobody has seen', null],
  ])('%p and %p', (details, error, cause) => {
    expect(failed(details, error).endCause).toBe(cause);
  });

  it.each([
    [
      'exec: "egress": executable file not found in $PATH',
      /^the egress worker could not start .+ in \$PATH$/,
    ],
    ['S3 upload failed: api error AccessDenied, status code: 403', /^the bucket refused .+ code: 403$/],
    ['S3 upload failed: api error NoSuchBucket, status code: 404', /^there is no such bucket .+ code: 404$/],
    [
      'S3 upload failed: dial tcp 10.0.0.7:9000: i/o timeout',
      /reaches the bucket .+\[address\]: i\/o timeout$/,
    ],
    ['something that nobody has seen', /^something that nobody has seen$/],
  ])('is said in words that help before its own: %p', (error, shown) => {
    expect(failed('', error).error).toMatch(shown);
  });
});

describe('media that is not what it should be', () => {
  const ended = (file: Partial<Pick<FileInfo, 'size' | 'duration'>>, more: Partial<EgressInfo> = {}) =>
    toEgressSeen(
      new EgressInfo({
        egressId: 'EG_1',
        status: EgressStatus.EGRESS_COMPLETE,
        endedAt: 5_000_000_000n,
        fileResults: [{ filename: 'a/b.mp4', location: 'x', size: 9n, duration: 2_000_000_000n, ...file }],
        ...more,
      }),
    );

  it('is said', () => {
    expect(ended({}).mediaProblem).toBeNull();
    expect(ended({ size: 0n }).mediaProblem).toContain('empty');
    expect(ended({ duration: 0n }).mediaProblem).toContain('length is zero');
    const elsewhere = ended({}, { backupStorageUsed: true });
    expect(elsewhere.mediaProblem).toMatch(/backup storage, as a\/b\.mp4/);
    expect(elsewhere.file?.uploaded).toBe(false);
  });
});

describe('the word for a status', () => {
  it.each([
    ['EGRESS_LIMIT_REACHED', 'LIMIT_REACHED'],
    ['EGRESS_ENDING', 'ENDING'],
    ['EGRESS_NEW', null],
    ['COMPLETE', null],
  ])('%s is %s', (word, status) => {
    expect(parseEgressStatus(word)).toBe(status);
  });
});

describe('the egress’ own words about its failure', () => {
  it.each([
    [
      'S3 upload failed: err: operation error S3: PutObject, https response error StatusCode: 403, RequestID: , HostID: , api error SignatureDoesNotMatch: SignatureDoesNotMatch, status code: 403',
      'S3 upload failed: err: operation error S3: PutObject, https response error StatusCode: 403, RequestID: , HostID: , api error SignatureDoesNotMatch: SignatureDoesNotMatch, status code: 403',
    ],
    [
      'exec: "egress": executable file not found in $PATH',
      'exec: "egress": executable file not found in $PATH',
    ],
    ['Start signal not received', 'Start signal not received'],
    ['Session limit reached', 'Session limit reached'],
    ['request has missing or invalid field: output', 'request has missing or invalid field: output'],
    ['signal: killed', 'signal: killed'],
    [
      'S3 upload failed: Put "http://minio:9000/rec/recordings/a/b.mp4?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE": dial tcp 10.0.0.7:9000: connect: connection refused',
      'S3 upload failed: Put "[address]": dial tcp [address]: connect: connection refused',
    ],
    [
      'dial tcp: lookup storage.acme.internal on 127.0.0.11:53: no such host',
      'dial tcp: lookup [address] on [address]: no such host',
    ],
    ['dial tcp [fd00::12]:443: i/o timeout', 'dial tcp [address]: i/o timeout'],
    ['connect to minio:9000 failed', 'connect to [address] failed'],
    ['no route to bucket.s3.eu-west-1.amazonaws.com', 'no route to [address]'],
    ['open /home/egress/tmp/EG_1/rec.mp4: no space left on device', 'open [path]: no space left on device'],
    [
      'invalid token: eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJkZXZrZXkifQ.abc-_1, error: go-jose',
      'invalid token=[secret], error: go-jose',
    ],
    ['got eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJkZXZrZXkifQ.abc-_1 here', 'got [token] here'],
    ['header Authorization: Bearer abcdef refused', 'header Authorization=[secret] refused'],
    ['secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY bad', 'secret_access_key=[secret] bad'],
    ['key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY is bad', 'key [secret] is bad'],
    ['first line\nsecond\tline\u0000', 'first line second line'],
  ])('keep their meaning without addresses, paths and secrets: %s', (raw, shown) => {
    expect(sanitizeEgressError(raw)).toBe(shown);
  });

  it('are what is seen of an egress that failed', () => {
    const error = "Local upload failed: EEXIST: file already exists, mkdir '/srv/media/recordings/a'";
    const seen = toEgressSeen(
      new EgressInfo({ egressId: 'EG_1', status: EgressStatus.EGRESS_FAILED, error }),
    );
    expect(seen.error).toContain(": Local upload failed: EEXIST: file already exists, mkdir '[path]'");
  });

  it('are bounded, however long they were', () => {
    const shown = sanitizeEgressError('upload failed again and '.repeat(10_000));
    expect(shown).toHaveLength(300);
    expect(shown.endsWith('…')).toBe(true);
  });
});

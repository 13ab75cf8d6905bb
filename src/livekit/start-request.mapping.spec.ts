import { RoomCompositeEgressRequest } from '@livekit/protocol';
import { goldenCase } from '../../test/support/golden-payloads.js';
import type { EgressOutput, StartEgress } from './livekit.types.js';
import { aConfig } from '../../test/support/a-config.js';
import { type RequestWebhook, requestWebhook, toStartRequest } from './start-request.mapping.js';

const S3: EgressOutput = {
  kind: 's3',
  filepath: 'tl/recordings/audio/rec_1.ogg',
  bucket: 'rec',
  region: 'us-east-1',
  endpoint: 'http://127.0.0.1:9000',
  accessKeyId: 'rig',
  secretAccessKey: 'rigrigrig',
  forcePathStyle: true,
  deployment: 'dep-1',
};
const AUDIO: StartEgress = {
  roomName: 'audio',
  layout: 'grid',
  preset: 'H264_720P_30',
  audioOnly: true,
  segments: null,
  output: S3,
};

/** The requests that a real server took, as messages of the protocol; they were sent before uploads carried our mark. */
function takenBy(name: string): unknown {
  const call = goldenCase(name).calls.find(({ method }) => method.endsWith('/StartRoomCompositeEgress'))!;
  const request = RoomCompositeEgressRequest.fromJson(call.request as never);
  for (const { output } of [...request.fileOutputs, ...request.segmentOutputs])
    if (output.case === 's3') output.value.metadata = { 'tallylight-deployment': 'dep-1' };
  return request.toJson();
}

describe('the request for a recording', () => {
  it('of audio alone is the one a real server took: without layout and preset, so that no browser is needed', () => {
    expect(toStartRequest(AUDIO, null).toJson()).toEqual(takenBy('audio-complete'));
  });

  const webhookOf = (env: Record<string, string>): RequestWebhook | null => requestWebhook(aConfig(env));

  it.each([
    ['https://recordings.example.org', 'wss://livekit.example.org', true],
    ['http://tallylight:4000', 'http://livekit:7880', true],
    ['http://localhost:4000', 'http://127.0.0.1:7880', true],
    ['http://localhost:4000', 'http://livekit:7880', false],
    ['http://127.0.0.1:4000', 'wss://livekit.example.org', false],
  ])('asks for webhooks to %s of LiveKit at %s: %s', (PUBLIC_URL, LIVEKIT_URL, asked) => {
    const webhook = { url: `${PUBLIC_URL}/livekit/webhook`, signingKey: 'devkey' };
    expect(webhookOf({ PUBLIC_URL, LIVEKIT_URL })).toEqual(asked ? webhook : null);
    const request = toStartRequest(AUDIO, webhookOf({ PUBLIC_URL, LIVEKIT_URL })).toJson();
    expect(request).toMatchObject(asked ? { webhooks: [webhook] } : {});
  });

  it('asks for none where PUBLIC_URL is a guess', () => {
    expect(webhookOf({ LIVEKIT_URL: 'http://127.0.0.1:7880' })).toBeNull();
  });

  it('of a room is the one a real server took', () => {
    const { layout, room_name } = goldenCase('video-complete').calls.find(({ method }) =>
      method.endsWith('/StartRoomCompositeEgress'),
    )!.request;
    const start: StartEgress = {
      roomName: String(room_name),
      layout: layout as StartEgress['layout'],
      preset: 'H264_720P_30',
      audioOnly: false,
      segments: null,
      output: { ...S3, filepath: 'tl/recordings/video/rec_2.mp4' },
    };
    expect(toStartRequest(start, null).toJson()).toEqual(takenBy('video-complete'));
  });

  it('with segments beside the file is the one a real server took', () => {
    const start: StartEgress = {
      ...{ ...AUDIO, roomName: 'segments', layout: 'speaker', audioOnly: false },
      output: { ...S3, filepath: 'tl/recordings/segments/rec_7.mp4' },
      segments: {
        output: { ...S3, filepath: 'tl/recordings/segments/rec_7/part' },
        ...{ playlistName: 'index.m3u8', livePlaylistName: 'live.m3u8', seconds: 4 },
      },
    };
    expect(toStartRequest(start, null).toJson()).toEqual(takenBy('file-and-segments'));
  });

  it('of audio alone with segments is for MP4: OGG and segments have no codec in common', () => {
    const segments = { output: S3, playlistName: 'index.m3u8', livePlaylistName: 'live.m3u8', seconds: 2 };
    expect(toStartRequest({ ...AUDIO, segments }, null).toJson()).toMatchObject({
      audioOnly: true,
      fileOutputs: [{ fileType: 'MP4' }],
    });
  });

  it.each(['grid', 'speaker', 'single-speaker'] as const)('names the layout %s as LiveKit does', (layout) => {
    expect(toStartRequest({ ...AUDIO, audioOnly: false, layout }, null).toJson()).toMatchObject({ layout });
  });

  it('leaves the credentials empty where the egress has its own', () => {
    const output = { ...S3, accessKeyId: null, secretAccessKey: null, endpoint: null };
    expect(toStartRequest({ ...AUDIO, output }, null).toJson()).toMatchObject({
      fileOutputs: [{ s3: { region: 'us-east-1', bucket: 'rec', forcePathStyle: true } }],
    });
    expect(JSON.stringify(toStartRequest({ ...AUDIO, output }, null).toJson())).not.toMatch(
      /accessKey|secret|endpoint/,
    );
  });

  it('for a shared disk names the path and no storage', () => {
    const start = { ...AUDIO, audioOnly: false, output: { kind: 'file', filepath: '/out/a.mp4' } as const };
    expect(toStartRequest(start, null).toJson()).toEqual({
      roomName: 'audio',
      layout: 'grid',
      preset: 'H264_720P_30',
      fileOutputs: [{ fileType: 'MP4', filepath: '/out/a.mp4', disableManifest: true }],
    });
  });
});

import { httpReceiver } from '../../src/livekit/simulator/webhook-http.js';
import { ADMIN_KEY, startStack, type TestStack } from '../support/app.js';
import { type ChildInstance, startChild } from '../support/child-instance.js';
import { eventually } from '../support/eventually.js';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../support/otlp-receiver.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';

describe('the traces that a collector gets', () => {
  let collector: OtlpReceiver;
  let stack: TestStack;
  let child: ChildInstance;
  beforeAll(async () => {
    collector = await startOtlpReceiver();
    stack = await startStack();
    // A process of its own: the exporter reads OpenTelemetry's variables of the process.
    child = await startChild({
      ...stack.env,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '50',
    });
    stack.simulator.setReceiver(httpReceiver(`${child.url}/livekit/webhook`, new AbortController().signal));
  });
  afterAll(async () => {
    await child.kill();
    await stack.close();
    await collector.close();
  });

  const graphql = async (query: string): Promise<void> => {
    const answer = await fetch(`${child.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}` },
      body: JSON.stringify({ query }),
    });
    expect(await answer.json()).not.toHaveProperty('errors');
  };
  const named = async (name: string): Promise<ReceivedSpan> => {
    const find = (): ReceivedSpan | undefined => collector.spans.find((span) => span.name === name);
    await eventually(
      () =>
        find() !== undefined ||
        `no span ${name} among ${collector.spans.map((span) => span.name).join(', ')}`,
    );
    return find()!;
  };

  it('join an operation, what LiveKit was asked for it and the jobs that it caused', async () => {
    await graphql('mutation { createRoom(input: { id: "traced", name: "Traced" }) { id } }');
    stack.simulator.openRoom('traced', { publishers: ['ada'] });
    await graphql('mutation { startRecording(input: { roomId: "traced" }) { id } }');
    const operation = await named('graphql mutation startRecording');
    const start = await named('livekit Egress/StartRoomCompositeEgress');
    const job = await named('job write-metadata');
    expect([start.trace, job.trace]).toEqual([operation.trace, operation.trace]);
    expect(operation.parent).toBe('');
    const above = new Map(collector.spans.map((span) => [span.id, span]));
    let top: ReceivedSpan | undefined = start;
    while (top && top.parent !== '') top = above.get(top.parent);
    expect(top?.id).toBe(operation.id);
  });

  it('go on in the trace that a request came with, and leave out what machines ask every few seconds', async () => {
    await fetch(`${child.url}/recordings/rec_none/media`, {
      headers: { traceparent: `00-${TRACE}-b7ad6b7169203331-01` },
    });
    const request = await named('GET /recordings/:id/media');
    expect([request.trace, request.parent]).toEqual([TRACE, 'b7ad6b7169203331']);
    expect(collector.spans.filter(({ name }) => name.includes('/health'))).toEqual([]);
  });

  it('name operations by the schema and never by what a client calls them', async () => {
    await graphql('query MyOwnSecretName { mine: rooms(first: 1) { totalCount } }');
    await named('graphql query rooms');
    expect(collector.spans.filter(({ name }) => name.includes('MyOwnSecretName'))).toEqual([]);
  });
});

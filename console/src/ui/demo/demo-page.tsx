import type { ComponentChildren } from 'preact';
import type { ResultOf } from 'gql.tada';
import { demoLights, type DemoAction, type DemoLight, performDemo } from '../../api/demo.js';
import { graphql } from '../../api/typed.js';
import type { Desk } from '../../state/desk.js';
import { now } from '../../state/now.js';
import { countWords, outcomeOf, spanWords } from '../../words.js';
import { ActionButton } from '../action-button.js';
import { useDesk } from '../desk-context.js';
import { Link } from '../link.js';
import { ErrorText } from '../notices.js';
import { NowPanel } from '../now-panel.js';
import { useRead } from '../use-read.js';

const LOOK_EVERY_MS = 2_000;

/** What became of what was broken: the latest recordings of each kind. */
const EVIDENCE = graphql(`
  query DemoEvidence {
    lost: recordings(filter: { endReasons: [RECORDER_LOST] }, first: 10) {
      nodes {
        id
        roomName
        endedAt
        continuedBy {
          id
        }
      }
    }
    failed: recordings(filter: { statuses: [FAILED] }, first: 10) {
      nodes {
        id
        roomName
        status
        endReason
        requestedAt
      }
    }
    latest: recordings(first: 10) {
      nodes {
        id
        roomName
        startedAt
      }
      totalCount
    }
  }
`);
type Evidence = ResultOf<typeof EVIDENCE>;

/** What a light shows: nothing yet, broken just now, Tallylight has dealt with it. */
type Tone = 'off' | 'warn' | 'good';
interface Shown {
  readonly tone: Tone;
  readonly words: ComponentChildren;
}

interface Scene {
  readonly desk: Desk;
  readonly evidence: Evidence | null;
  readonly isOn: boolean;
  /** When it was done. */
  readonly at: number;
}

interface About {
  readonly title: string;
  readonly expect: string;
  readonly button: string;
  /** For what goes on until it is taken back. */
  readonly undo?: string;
  /** Of no use without a recording in progress. */
  readonly needsRecording?: true;
  readonly show: (scene: Scene) => Shown;
}

const since = (instant: string | null, at: number): boolean => instant !== null && Date.parse(instant) >= at;

const ABOUT: Readonly<Record<DemoAction, About>> = {
  'kill-worker': {
    title: 'Kill the worker',
    expect:
      'LiveKit goes on listing the egress as active, and sends no webhook. Tallylight asks the worker, waits 20 s for it, ends the recording as cut short and records the meeting further in a second one; each links to the other, and the coverage shows the gap.',
    button: 'Kill it',
    needsRecording: true,
    show: ({ evidence, at }) => {
      const lost = evidence?.lost.nodes.find(({ endedAt }) => since(endedAt, at));
      if (!lost?.endedAt)
        return { tone: 'warn', words: 'The worker is dead. Nobody has said so yet: within a minute.' };
      return {
        tone: 'good',
        words: (
          <>
            Noticed after {spanWords(Date.parse(lost.endedAt) - at)}:{' '}
            <Link to={lost.id}>{lost.roomName}</Link> was cut short
            {lost.continuedBy ? (
              <>
                , and <Link to={lost.continuedBy.id}>goes on in a new recording</Link>.
              </>
            ) : (
              '.'
            )}
          </>
        ),
      };
    },
  },
  'lose-webhooks': {
    title: 'Lose the webhooks',
    expect:
      'Start and stop a recording: it becomes active and complete all the same, because webhooks only make Tallylight look sooner.',
    button: 'Lose them',
    undo: 'Deliver them again',
    show: ({ evidence, isOn, at }) => {
      const started = evidence?.latest.nodes.find(({ startedAt }) => since(startedAt, at));
      if (started)
        return {
          tone: 'good',
          words: (
            <>
              <Link to={started.id}>{started.roomName}</Link> became active without a webhook.
            </>
          ),
        };
      return isOn
        ? { tone: 'warn', words: 'Every webhook is lost. Now start a recording.' }
        : { tone: 'off', words: 'Webhooks are delivered again.' };
    },
  },
  'empty-redis': {
    title: 'Empty Redis',
    expect:
      'Every row, index and job is deleted. Nothing is answered from what may be wrong: the console says so, and within seconds all recordings are back from the bucket; what is in progress goes on.',
    button: 'Empty it',
    show: ({ desk, evidence, at }) => {
      const rebuild = desk.system.value?.all?.checks.find(({ name }) => name.toLowerCase() === 'rebuild');
      const isBack =
        desk.isKnown.value && evidence !== null && rebuild?.state === 'OK' && now.value - at > 4_000;
      return isBack
        ? {
            tone: 'good',
            words: `Rebuilt from the bucket: ${countWords(evidence.latest.totalCount ?? 0, 'recording')}, as before.`,
          }
        : { tone: 'warn', words: 'Redis is empty. The recordings are read from the bucket…' };
    },
  },
  'fail-next-start': {
    title: 'Fail the next start',
    expect:
      'LiveKit refuses the next start. The attempt has a recording of its own that says why it failed and what to do, and the room is free again at once.',
    button: 'Fail it',
    undo: 'Let it pass',
    show: ({ evidence, isOn, at }) => {
      if (isOn) return { tone: 'warn', words: 'The next start will be refused. Now start a recording.' };
      const failed = evidence?.failed.nodes.find(({ requestedAt }) => since(requestedAt, at));
      if (!failed) return { tone: 'off', words: 'Taken back.' };
      return {
        tone: 'good',
        words: (
          <>
            <Link to={failed.id}>{failed.roomName}</Link> failed: {outcomeOf(failed).why}.
          </>
        ),
      };
    },
  },
  'take-livekit-away': {
    title: 'Take LiveKit away',
    expect:
      'Every connection to LiveKit is cut. A start is refused at once and says why; what is being recorded stays as it is, because “could not ask” is never “gone”. Given back, everything goes on.',
    button: 'Take it away',
    undo: 'Give it back',
    show: ({ desk, isOn }) => {
      const livekit = desk.system.value?.all?.checks.find(({ name }) => name.toLowerCase() === 'livekit');
      if (!isOn)
        return livekit?.state === 'OK'
          ? { tone: 'good', words: 'LiveKit is back, and everything goes on.' }
          : { tone: 'warn', words: 'LiveKit is back; Tallylight has not looked yet.' };
      return livekit && livekit.state !== 'OK'
        ? { tone: 'good', words: `Noticed: ${livekit.detail}.` }
        : { tone: 'warn', words: 'LiveKit can not be reached. Tallylight has not looked yet.' };
    },
  },
};

/** Breaks the parts that `npm start` has embedded, and shows what Tallylight makes of it. */
export function DemoPage() {
  const desk = useDesk();
  const lights = useRead(() => demoLights(desk.api), LOOK_EVERY_MS);
  const evidence = useRead(() => desk.api.ask(EVIDENCE), LOOK_EVERY_MS);
  const shown = lights.data;
  return (
    <>
      <h1 class="unseen">Demo</h1>
      <NowPanel />
      <p class="muted lead">
        Redis, LiveKit and its workers are embedded here, so they can be broken. Start a recording under{' '}
        <Link to="rooms">Rooms</Link>, break something, and watch.
      </p>
      {lights.problem && !shown && <ErrorText {...lights.problem} />}
      <div class="stack">
        {shown?.map((light) => (
          <One
            key={light.name}
            light={light}
            evidence={evidence.problem ? null : evidence.data}
            onDone={lights.again}
          />
        ))}
      </div>
    </>
  );
}

interface OneProps {
  light: DemoLight;
  evidence: Evidence | null;
  onDone: () => Promise<void>;
}

function One({ light: { name, isOn, at }, evidence, onDone }: OneProps) {
  const desk = useDesk();
  const { title, expect, button, undo, needsRecording, show } = ABOUT[name];
  const canUndo = isOn && undo !== undefined;
  const hasNone = needsRecording && desk.inProgress.value.length === 0;
  const { tone, words }: Shown =
    at === null ? { tone: 'off', words: 'Not done yet.' } : show({ desk, evidence, isOn, at });
  const act = async (): Promise<void> => {
    await performDemo(desk.api, name, !canUndo);
    await onDone();
  };
  return (
    <section class="panel" data-demo={name} data-light={tone}>
      <div class="row">
        <h2>{title}</h2>
        <ActionButton
          class={canUndo ? '' : 'dangerous'}
          aria-label={`${canUndo ? undo : button}: ${title}`}
          aria-describedby={`demo-${name}`}
          disabled={hasNone}
          action={act}
        >
          {canUndo ? undo : button}
        </ActionButton>
      </div>
      <p class="small muted" id={`demo-${name}`}>
        {expect}
        {hasNone && ' Start a recording first: there is nothing to lose.'}
      </p>
      <p class={`demo-light ${tone}`} role="status">
        <span class="lamp" aria-hidden="true" />
        <span>
          {at !== null && <span class="muted">{spanWords(Math.max(0, now.value - at))} ago. </span>}
          {words}
        </span>
      </p>
    </section>
  );
}

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { HistoryStep, Recording } from '../api/contract.js';
import { HISTORY } from '../api/documents.js';
import { ApiError, messageOf } from '../api/graphql.js';
import type { Desk } from '../state/desk.js';
import { preciseInstant, reasonWords, STATUS_WORD, stepInstant } from '../words.js';
import { ErrorText } from './notices.js';

interface Answer {
  readonly recording: { readonly history: { readonly nodes: readonly HistoryStep[] } } | null;
}

/** Every change of a recording; read again whenever its version grows. */
export function History({ desk, recording }: { desk: Desk; recording: Recording }) {
  const steps = useSignal<readonly HistoryStep[]>([]);
  const error = useSignal<{ code: string; message: string } | null>(null);
  useEffect(() => {
    let current = true;
    desk.api
      .ask<Answer>(HISTORY, { id: recording.id })
      .then((answer) => {
        if (current) steps.value = answer.recording?.history.nodes ?? [];
      })
      .catch((problem: unknown) => {
        const code = problem instanceof ApiError ? problem.code : 'INTERNAL';
        if (current) error.value = { code, message: messageOf(problem) };
      });
    return () => {
      current = false;
    };
  }, [recording.id, recording.version]);
  return (
    <>
      {error.value && <ErrorText {...error.value} />}
      <ol class="history small">
        {steps.value.map(({ at, type, cause, recording: then }) => (
          <li key={then.version}>
            <time dateTime={at} title={preciseInstant(at)}>
              {stepInstant(at)}
            </time>{' '}
            {type === 'UPDATED' ? 'Updated' : STATUS_WORD[then.status]}
            {then.endReason !== null && `, ${reasonWords(then.endReason)}`}{' '}
            <span class="muted">by {cause}</span>
          </li>
        ))}
      </ol>
    </>
  );
}

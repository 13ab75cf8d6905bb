import { useSignal } from '@preact/signals';
import { ApiError, messageOf } from '../api/graphql.js';

export interface Action {
  readonly busy: boolean;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Runs it unless it runs already; a refusal becomes `error`. Resolves to whether it went well. */
  run(action: () => Promise<void>): Promise<boolean>;
}

/** One thing a form does, with its waiting and its refusal. */
export function useAction(): Action {
  const busy = useSignal(false);
  const error = useSignal<Action['error']>(null);
  return {
    busy: busy.value,
    error: error.value,
    async run(action) {
      if (busy.value) return false;
      busy.value = true;
      error.value = null;
      try {
        await action();
        return true;
      } catch (problem) {
        const code = problem instanceof ApiError ? problem.code : 'INTERNAL';
        error.value = { code, message: messageOf(problem) };
        return false;
      } finally {
        busy.value = false;
      }
    },
  };
}

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ApiError, messageOf } from '../api/graphql.js';

export interface Read<T> {
  /** Null until the first answer. */
  readonly data: T | null;
  readonly problem: { readonly code: string; readonly message: string } | null;
  again(): Promise<void>;
}

/** What a view shows, read when it opens and whenever it asks for it again; every so many ms where `every` says so. */
export function useRead<T>(read: () => Promise<T>, every?: number): Read<T> {
  const data = useSignal<T | null>(null);
  const problem = useSignal<Read<T>['problem']>(null);
  const again = async (): Promise<void> => {
    try {
      data.value = await read();
      problem.value = null;
    } catch (error) {
      problem.value = {
        code: error instanceof ApiError ? error.code : 'INTERNAL',
        message: messageOf(error),
      };
    }
  };
  useEffect(() => {
    void again();
    if (every === undefined) return;
    const timer = setInterval(() => document.visibilityState === 'visible' && void again(), every);
    return () => clearInterval(timer);
  }, []);
  return { data: data.value, problem: problem.value, again };
}

import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { messageOf } from '../api/graphql.js';

type View = ComponentType;

/** A view whose code is loaded when it is first opened. */
export function lazy(load: () => Promise<View>): View {
  let loaded: View | null = null;
  return function Lazy() {
    const Loaded = useSignal<View | null>(loaded);
    const problem = useSignal<string | null>(null);
    useEffect(() => {
      if (loaded) return;
      load()
        .then((view) => (Loaded.value = loaded = view))
        .catch((error: unknown) => (problem.value = messageOf(error)));
    }, []);
    if (problem.value !== null) {
      return (
        <p class="trouble" role="alert">
          This view could not be loaded ({problem.value}). <a href={location.href}>Load the page again</a>
        </p>
      );
    }
    return Loaded.value ? <Loaded.value /> : <p class="empty">Loading…</p>;
  };
}

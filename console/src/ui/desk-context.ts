import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Desk } from '../state/desk.js';

export const DeskContext = createContext<Desk | null>(null);

/** Everything behind the page; there is one below the sign-in. */
export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (desk === null) throw new Error('nobody is signed in here');
  return desk;
}

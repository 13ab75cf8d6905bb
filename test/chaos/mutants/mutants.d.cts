export interface Mutant {
  readonly name: string;
  readonly defect: string;
  /** The single history that shows it. */
  readonly shownBy?: string;
  /** Of what is not in the simulation: the test that fails with it. `test`: a part of its name. */
  readonly shownByTest?: { readonly project: string; readonly file: string; readonly test: string };
  readonly changes: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
}

export const MUTANTS: readonly Mutant[];
/** The source of this file (its path in the project) with the mutant in it. Throws where a text does not stand in it exactly once. */
export function mutated(mutant: Mutant, path: string, source: string): string;

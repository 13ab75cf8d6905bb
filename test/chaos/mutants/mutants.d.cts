export interface Mutant {
  readonly name: string;
  readonly defect: string;
  /** The single history that shows it. */
  readonly shownBy?: string;
  readonly changes: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
}

export const MUTANTS: readonly Mutant[];

/** Why the start ends, in one sentence that says what to do; shown as it is, without a stack. */
export class StartFault extends Error {
  constructor(sentence: string, options?: ErrorOptions) {
    super(sentence, options);
    this.name = 'StartFault';
  }
}

/** By its code alone: under a test runner the errors of Node's own modules come from another realm, and are no `Error` here. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && codes.includes(String(error.code));
}

/** Why the start ends, in one sentence that says what to do; shown as it is, without a stack. */
export class StartFault extends Error {
  constructor(sentence: string, options?: ErrorOptions) {
    super(sentence, options);
    this.name = 'StartFault';
  }
}

/** By its code alone: under a test runner the errors of Node's own modules come from another realm, and are no `Error` here. */
/** Whether it is an error of the system, of one of these kinds. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  const code = errnoOf(error);
  return code !== null && codes.includes(code);
}

/** `EACCES`, `ENOENT` and the like; null for any other error. */
export function errnoOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

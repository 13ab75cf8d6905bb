import { TallyError } from '../kernel/errors.js';

export function unauthenticated(message: string, cause?: unknown): TallyError {
  return new TallyError('UNAUTHENTICATED', message, { cause });
}

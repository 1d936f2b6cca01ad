import { ResponseError, SignedOut } from '../api/errors';

/** What a view as a whole shows: `live` its content, `loading` a skeleton, the others why there is none. */
export type ViewPhase = 'loading' | 'live' | 'missing' | 'signedOut' | 'trouble';

/** What a view shows that could not be read. */
export function phaseFor(error: unknown): ViewPhase {
  if (error instanceof SignedOut) {
    return 'signedOut';
  }
  return error instanceof ResponseError && error.reason === 'not_found' ? 'missing' : 'trouble';
}

import { NetworkError, sentenceOf, SignedOut } from '../api/errors';

/** Whether the server is reached, for a view whose content stands. */
export interface ILine {
  readonly online: boolean;
  /** the server's own words, where it was reached and could not answer */
  readonly reason: string | null;
  /** the server is there, and does not know the person any more */
  readonly signedOut: boolean;
}

export const ON_LINE: ILine = { online: true, reason: null, signedOut: false };

/** How it is after a request failed. */
export function lineFor(error: unknown): ILine {
  const signedOut = error instanceof SignedOut;
  const reason = error instanceof NetworkError || signedOut ? null : sentenceOf(error);
  return { online: false, reason, signedOut };
}

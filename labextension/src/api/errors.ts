/**
 * What can go wrong between the panel and the server. A leaf: it knows neither JupyterLab nor React.
 */

/**
 * One finding about one field, as the server words it.
 */
export interface IFieldError {
  readonly loc: ReadonlyArray<string | number>;
  readonly msg: string;
}

/**
 * The server was not reached: it is down, or the network is.
 */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
}

/**
 * The caller stopped the request.
 */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}

/**
 * The server answered, and not with success.
 */
export class ResponseError extends Error {
  override readonly name: string = 'ResponseError';

  constructor(
    readonly status: number,
    message: string,
    readonly reason: string | null = null,
    readonly errors: ReadonlyArray<IFieldError> = []
  ) {
    super(message);
  }
}

/**
 * Jupyter answered 404 itself: nothing of ours is on this server.
 */
export class ServerPartMissing extends ResponseError {
  override readonly name = 'ServerPartMissing';
}

/**
 * Jupyter does not know who asks: the login has expired.
 */
export class SignedOut extends ResponseError {
  override readonly name = 'SignedOut';
}

/**
 * The error that a status and a body stand for.
 *
 * Ours carry a `reason` that a program can test; an answer without one was not given by us.
 */
export function errorFor(status: number, body: unknown): ResponseError {
  const ours = isErrorBody(body) ? body : null;
  const message = ours?.message || `The server answered ${status}.`;
  const reason = ours?.reason ?? null;
  const errors = ours?.errors ?? [];
  if (status === 404 && reason === null) {
    return new ServerPartMissing(status, message);
  }
  if (status === 401 || (status === 403 && reason !== 'forbidden')) {
    return new SignedOut(status, message, reason);
  }
  return new ResponseError(status, message, reason, errors);
}

/**
 * One sentence that says what to change, from whatever was thrown.
 */
export function sentenceOf(error: unknown): string {
  if (error instanceof ResponseError && error.errors.length > 0) {
    const first = error.errors[0];
    if (first && !error.message.includes(first.msg)) {
      return `${error.message.replace(/\.$/, '')}: ${first.msg}`;
    }
  }
  return error instanceof Error ? error.message : String(error);
}

interface IErrorBody {
  readonly message: string;
  readonly reason?: string | null;
  readonly errors?: ReadonlyArray<IFieldError>;
}

function isErrorBody(body: unknown): body is IErrorBody {
  return (
    typeof body === 'object' &&
    body !== null &&
    typeof (body as { message?: unknown }).message === 'string'
  );
}

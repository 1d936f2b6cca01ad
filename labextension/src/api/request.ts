import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { errorFor, NetworkError } from './errors';

/** Where all routes of the server part lie, below the server's base URL. */
export const PREFIX = 'pycaret/api/v1';

export interface IAnswer<T> {
  readonly body: T;
  readonly headers: Headers;
}

/**
 * The address of a route.
 */
export function urlOf(
  settings: ServerConnection.ISettings,
  path: string,
  query: Readonly<Record<string, string | number>> = {}
): string {
  const url = URLExt.join(settings.baseUrl, PREFIX, path);
  const search = new URLSearchParams(
    Object.entries(query).map(([key, value]): [string, string] => [key, String(value)])
  ).toString();
  return search ? `${url}?${search}` : url;
}

/**
 * Ask the server part.
 *
 * @throws NetworkError where the server was not reached; otherwise what `errorFor` says.
 */
export async function requestAPI<T>(
  settings: ServerConnection.ISettings,
  url: string,
  init: RequestInit = {}
): Promise<IAnswer<T>> {
  let response: Response;
  try {
    // `no-cache` revalidates: an unchanged list costs a 304. JupyterLab's own default, `no-store`,
    // would also put a bare number into the query.
    response = await ServerConnection.makeRequest(url, { cache: 'no-cache', ...init }, settings);
  } catch (error) {
    throw new NetworkError(error instanceof Error ? error.message : String(error));
  }
  const body = await bodyOf(response);
  if (!response.ok) {
    throw errorFor(response.status, body);
  }
  return { body: body as T, headers: response.headers };
}

/** The JSON that a server answered, or null where it is none. */
export async function bodyOf(response: Response): Promise<unknown> {
  let text: string;
  try {
    text = await response.text();
  } catch (error) {
    throw new NetworkError(error instanceof Error ? error.message : String(error));
  }
  return parsed(text);
}

/**
 * The JSON in a text, or null where it is none (Jupyter answers some errors with a page).
 */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

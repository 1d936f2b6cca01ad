import type { ServerConnection } from '@jupyterlab/services';
import { errorFor, NetworkError, Stopped } from './errors';
import { parsed } from './request';
import type { IDataSource } from './rows';

export interface IUploadOptions {
  /** what the data source is called; a new version of one has its name already */
  readonly name?: string;
  readonly file: File;
  readonly signal: AbortSignal;
  readonly onProgress: (sent: number, total: number) => void;
}

/**
 * Send a file as multipart form data.
 *
 * `fetch` does not report what was sent, so this is the one request that does not go through
 * `ServerConnection`; it takes credentials from the same settings.
 */
export function uploadFile(
  settings: ServerConnection.ISettings,
  url: string,
  { name, file, signal, onProgress }: IUploadOptions
): Promise<IDataSource> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    const settle = (settled: () => void) => {
      signal.removeEventListener('abort', stop);
      settled();
    };

    request.open('POST', url);
    request.withCredentials = settings.init.credentials === 'include';
    if (settings.token) {
      request.setRequestHeader('Authorization', `token ${settings.token}`);
    }
    const xsrf = xsrfToken();
    if (xsrf !== null) {
      request.setRequestHeader('X-XSRFToken', xsrf);
    }
    request.upload.addEventListener('progress', event => onProgress(event.loaded, event.total));
    request.addEventListener('load', () =>
      settle(() => {
        const body = parsed(request.responseText);
        if (request.status >= 200 && request.status < 300) {
          resolve(body as IDataSource);
        } else {
          reject(errorFor(request.status, body));
        }
      })
    );
    request.addEventListener('error', () =>
      settle(() => reject(new NetworkError('The connection broke off.')))
    );
    request.addEventListener('abort', () => settle(() => reject(new Stopped('Stopped.'))));

    if (signal.aborted) {
      reject(new Stopped('Stopped.'));
      return;
    }
    signal.addEventListener('abort', stop);

    const form = new FormData();
    if (name !== undefined) {
      form.append('name', name);
    }
    form.append('file', file, file.name);
    request.send(form);
  });
}

function xsrfToken(): string | null {
  // Of two cookies of this name the server reads the last one, as JupyterLab does.
  const values = document.cookie
    .split(';')
    .map(part => part.trim())
    .filter(part => part.startsWith('_xsrf='));
  return values.length > 0 ? (values[values.length - 1] as string).slice('_xsrf='.length) : null;
}

import type { ServerConnection } from '@jupyterlab/services';
import { ResponseError } from './errors';
import { requestAPI, urlOf } from './request';
import type { IMe, IPage, IRow } from './rows';

/** Reading is what a poll does: it must not keep an idle server awake. */
const QUIET = { no_track_activity: 1 };

/** The longest page that the server gives. */
export const MOST = 1000;

/**
 * What all groups of routes share: credentials, quiet reading, the server's clock.
 */
export abstract class Transport {
  constructor(protected readonly settings: ServerConnection.ISettings) {}

  /** Server time minus browser time, in ms, from the last answer. */
  get clockOffset(): number {
    return this._clockOffset;
  }

  me(): Promise<IMe> {
    return this.get<IMe>('auth/me');
  }

  /**
   * Whether the user may more than read in a workspace. What the server does not say is not taken away:
   * it refuses with a sentence.
   */
  async mayWriteIn(workspaceId: string): Promise<boolean> {
    try {
      const { memberships } = await this.me();
      return memberships.find(one => one.workspace_id === workspaceId)?.role !== 'viewer';
    } catch (error) {
      if (error instanceof ResponseError) {
        return true;
      }
      throw error;
    }
  }

  protected async get<T>(
    path: string,
    query: Readonly<Record<string, string | number>> = {}
  ): Promise<T> {
    const { body, headers } = await requestAPI<T>(
      this.settings,
      urlOf(this.settings, path, { ...query, ...QUIET })
    );
    this._readClock(headers);
    return body;
  }

  protected async list<T extends IRow>(
    path: string,
    limit: number,
    query: Readonly<Record<string, string>> = {}
  ): Promise<IPage<T>> {
    const url = urlOf(this.settings, path, { ...query, limit, ...QUIET });
    const { body, headers } = await requestAPI<T[]>(this.settings, url);
    this._readClock(headers);
    return { rows: body, more: headers.has('X-Next-Cursor') };
  }

  protected async send<T>(method: string, path: string, body?: object): Promise<T> {
    const init =
      body === undefined
        ? { method }
        : {
            method,
            body: JSON.stringify(body),
            headers: { 'Content-Type': 'application/json' }
          };
    return (await requestAPI<T>(this.settings, urlOf(this.settings, path), init)).body;
  }

  private _readClock(headers: Headers): void {
    const date = Date.parse(headers.get('Date') ?? '');
    // The header counts whole seconds: a smaller difference says nothing.
    const offset = Number.isNaN(date) ? 0 : date - Date.now();
    this._clockOffset = Math.abs(offset) > 2000 ? offset : 0;
  }

  private _clockOffset = 0;
}

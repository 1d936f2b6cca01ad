import type { ServerConnection } from '@jupyterlab/services';
import { ResponseError } from './errors';
import { requestAPI, urlOf } from './request';
import type {
  IDataSource,
  IDeployment,
  IExperiment,
  IMe,
  IPage,
  IPipeline,
  IProject,
  IRow,
  IRun,
  IWorkspace
} from './rows';
import type { IUploadOptions } from './upload';
import { uploadFile } from './upload';

/**
 * The routes that the panel uses, typed. Models know this interface and nothing below it.
 */
export interface IOpsApi {
  /** Server time minus browser time, in ms, from the last answer. */
  readonly clockOffset: number;

  me(): Promise<IMe>;
  workspaces(): Promise<IPage<IWorkspace>>;
  createWorkspace(name: string): Promise<IWorkspace>;
  projects(workspaceId: string): Promise<IPage<IProject>>;
  experiments(projectId: string): Promise<IPage<IExperiment>>;

  dataSources(workspaceId: string, limit: number): Promise<IPage<IDataSource>>;
  uploadDataSource(workspaceId: string, options: IUploadOptions): Promise<IDataSource>;
  deleteDataSource(id: string): Promise<void>;

  runs(workspaceId: string, projectId: string | null, limit: number): Promise<IPage<IRun>>;
  cancelRun(id: string): Promise<IRun>;

  pipelines(workspaceId: string, limit: number): Promise<IPage<IPipeline>>;

  deployments(workspaceId: string, limit: number): Promise<IPage<IDeployment>>;
  resumeDeployment(id: string): Promise<IDeployment>;
}

/** Reading is what a poll does: it must not keep an idle server awake. */
const QUIET = { no_track_activity: 1 };

const MOST = 1000;

export class OpsApi implements IOpsApi {
  constructor(private readonly _settings: ServerConnection.ISettings) {}

  get clockOffset(): number {
    return this._clockOffset;
  }

  me(): Promise<IMe> {
    return this._get<IMe>('auth/me');
  }

  workspaces(): Promise<IPage<IWorkspace>> {
    return this._list<IWorkspace>('workspaces', MOST);
  }

  async createWorkspace(name: string): Promise<IWorkspace> {
    try {
      await this._send('POST', 'setup/bootstrap', {
        workspace_name: name,
        project_name: 'default'
      });
    } catch (error) {
      if (!(error instanceof ResponseError && error.status === 409)) {
        throw error;
      }
      // The server has workspaces already; this user is in none of them.
      const made = await this._send<IWorkspace>('POST', 'workspaces', { name });
      await this._send('POST', `workspaces/${made.id}/projects`, { name: 'default' });
      return made;
    }
    const { rows } = await this.workspaces();
    const made = rows.find(row => row.name === name) ?? rows[0];
    if (!made) {
      throw new ResponseError(404, 'The workspace was made and is not there.');
    }
    return made;
  }

  projects(workspaceId: string): Promise<IPage<IProject>> {
    return this._list<IProject>(`workspaces/${workspaceId}/projects`, MOST);
  }

  experiments(projectId: string): Promise<IPage<IExperiment>> {
    return this._list<IExperiment>(`projects/${projectId}/experiments`, MOST);
  }

  dataSources(workspaceId: string, limit: number): Promise<IPage<IDataSource>> {
    return this._list<IDataSource>(`workspaces/${workspaceId}/data-sources`, limit);
  }

  uploadDataSource(workspaceId: string, options: IUploadOptions): Promise<IDataSource> {
    const url = urlOf(this._settings, `workspaces/${workspaceId}/data-sources/upload`);
    return uploadFile(this._settings, url, options);
  }

  async deleteDataSource(id: string): Promise<void> {
    await this._send('DELETE', `data-sources/${id}`);
  }

  runs(workspaceId: string, projectId: string | null, limit: number): Promise<IPage<IRun>> {
    const narrow = projectId === null ? {} : { project_id: projectId };
    return this._list<IRun>('runs', limit, { workspace_id: workspaceId, ...narrow });
  }

  cancelRun(id: string): Promise<IRun> {
    return this._send<IRun>('POST', `runs/${id}/cancel`);
  }

  pipelines(workspaceId: string, limit: number): Promise<IPage<IPipeline>> {
    return this._list<IPipeline>(`workspaces/${workspaceId}/pipelines`, limit);
  }

  deployments(workspaceId: string, limit: number): Promise<IPage<IDeployment>> {
    return this._list<IDeployment>(`workspaces/${workspaceId}/deployments`, limit);
  }

  resumeDeployment(id: string): Promise<IDeployment> {
    return this._send<IDeployment>('PATCH', `deployments/${id}`, { status: 'active' });
  }

  private async _get<T>(path: string): Promise<T> {
    const { body, headers } = await requestAPI<T>(
      this._settings,
      urlOf(this._settings, path, QUIET)
    );
    this._readClock(headers);
    return body;
  }

  private async _list<T extends IRow>(
    path: string,
    limit: number,
    query: Readonly<Record<string, string>> = {}
  ): Promise<IPage<T>> {
    const url = urlOf(this._settings, path, { ...query, limit, ...QUIET });
    const { body, headers } = await requestAPI<T[]>(this._settings, url);
    this._readClock(headers);
    return { rows: body, more: headers.has('X-Next-Cursor') };
  }

  private async _send<T>(method: string, path: string, body?: object): Promise<T> {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    return (await requestAPI<T>(this._settings, urlOf(this._settings, path), init)).body;
  }

  private _readClock(headers: Headers): void {
    const date = Date.parse(headers.get('Date') ?? '');
    // The header counts whole seconds: a smaller difference says nothing.
    const offset = Number.isNaN(date) ? 0 : date - Date.now();
    this._clockOffset = Math.abs(offset) > 2000 ? offset : 0;
  }

  private _clockOffset = 0;
}

import { ResponseError } from './errors';
import { urlOf } from './request';
import type {
  IDataSource,
  IDeployment,
  IExperiment,
  IPage,
  IPipeline,
  IProject,
  IRun,
  IWorkspace
} from './rows';
import { MOST, Transport } from './transport';
import type { IUploadOptions } from './upload';
import { uploadFile } from './upload';

/** What rows of the panel are called in routes. */
export type Noun = 'data-sources' | 'runs' | 'pipelines' | 'deployments';

/**
 * The routes that the panel uses, typed. Models know this interface and nothing below it.
 */
export interface IOpsApi {
  /** Server time minus browser time, in ms, from the last answer. */
  readonly clockOffset: number;

  mayWriteIn(workspaceId: string): Promise<boolean>;
  workspaces(): Promise<IPage<IWorkspace>>;
  createWorkspace(name: string): Promise<IWorkspace>;
  projects(workspaceId: string): Promise<IPage<IProject>>;
  experiments(projectId: string): Promise<IPage<IExperiment>>;

  dataSources(workspaceId: string, limit: number): Promise<IPage<IDataSource>>;
  uploadDataSource(workspaceId: string, options: IUploadOptions): Promise<IDataSource>;
  /** a data source, run, pipeline or deployment */
  remove(noun: Noun, id: string): Promise<void>;

  runs(workspaceId: string, projectId: string | null, limit: number): Promise<IPage<IRun>>;
  cancelRun(id: string): Promise<IRun>;

  pipelines(workspaceId: string, limit: number): Promise<IPage<IPipeline>>;

  deployments(workspaceId: string, limit: number): Promise<IPage<IDeployment>>;
  resumeDeployment(id: string): Promise<IDeployment>;
}

export class OpsApi extends Transport implements IOpsApi {
  workspaces(): Promise<IPage<IWorkspace>> {
    return this.list<IWorkspace>('workspaces', MOST);
  }

  async createWorkspace(name: string): Promise<IWorkspace> {
    try {
      await this.send('POST', 'setup/bootstrap', {
        workspace_name: name,
        project_name: 'default'
      });
    } catch (error) {
      if (!(error instanceof ResponseError && error.status === 409)) {
        throw error;
      }
      // The server has workspaces already; this user is in none of them.
      const made = await this.send<IWorkspace>('POST', 'workspaces', { name });
      await this.send('POST', `workspaces/${made.id}/projects`, { name: 'default' });
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
    return this.list<IProject>(`workspaces/${workspaceId}/projects`, MOST);
  }

  experiments(projectId: string): Promise<IPage<IExperiment>> {
    return this.list<IExperiment>(`projects/${projectId}/experiments`, MOST);
  }

  dataSources(workspaceId: string, limit: number): Promise<IPage<IDataSource>> {
    return this.list<IDataSource>(`workspaces/${workspaceId}/data-sources`, limit);
  }

  uploadDataSource(workspaceId: string, options: IUploadOptions): Promise<IDataSource> {
    const url = urlOf(this.settings, `workspaces/${workspaceId}/data-sources/upload`);
    return uploadFile(this.settings, url, options);
  }

  async remove(noun: Noun, id: string): Promise<void> {
    await this.send('DELETE', `${noun}/${id}`);
  }

  runs(workspaceId: string, projectId: string | null, limit: number): Promise<IPage<IRun>> {
    const narrow = projectId === null ? {} : { project_id: projectId };
    return this.list<IRun>('runs', limit, { workspace_id: workspaceId, ...narrow });
  }

  cancelRun(id: string): Promise<IRun> {
    return this.send<IRun>('POST', `runs/${id}/cancel`);
  }

  pipelines(workspaceId: string, limit: number): Promise<IPage<IPipeline>> {
    return this.list<IPipeline>(`workspaces/${workspaceId}/pipelines`, limit);
  }

  deployments(workspaceId: string, limit: number): Promise<IPage<IDeployment>> {
    return this.list<IDeployment>(`workspaces/${workspaceId}/deployments`, limit);
  }

  resumeDeployment(id: string): Promise<IDeployment> {
    return this.send<IDeployment>('PATCH', `deployments/${id}`, { status: 'active' });
  }
}

import type { IOpsApi, Noun } from '../src/api/client';
import { NetworkError } from '../src/api/errors';
import type {
  IDataSource,
  IDeployment,
  IExperiment,
  IPage,
  IPipeline,
  IProject,
  IRun,
  IWorkspace
} from '../src/api/rows';
import type { IUploadOptions } from '../src/api/upload';

const TIME = '2024-11-23T12:00:00Z';
const base = (id: string) => ({ id, created_at: TIME, updated_at: TIME, created_by: null });

export const workspace = (id: string): IWorkspace => ({
  ...base(id),
  name: id,
  description: null
});

export const project = (id: string, workspace_id: string): IProject => ({
  ...base(id),
  workspace_id,
  name: id,
  description: null,
  tags: []
});

export const experiment = (
  id: string,
  patch: Pick<IExperiment, 'name' | 'task' | 'target'>
): IExperiment => ({
  ...base(id),
  project_id: 'p1',
  setup_params: {},
  data_source_id: null,
  description: null,
  ...patch
});

export const source = (name: string, workspace_id = 'w1'): IDataSource => ({
  ...base(`source-${name}`),
  workspace_id,
  name,
  kind: 'csv_upload',
  description: null,
  has_secret: false,
  version: 1,
  versions: 1,
  types: {},
  config: { rows: 3, columns: [] }
});

export const run = (id: string, patch: Partial<IRun> = {}): IRun => ({
  ...base(id),
  experiment_id: 'e1',
  origin_run_id: null,
  project_id: 'p1',
  workspace_id: 'w1',
  status: 'running',
  plan: 'compare',
  model_id: null,
  executor: 'kernel',
  attempt: 1,
  progress: { done: 0, total: 0, label: '' },
  queued_at: TIME,
  started_at: TIME,
  finished_at: null,
  duration_ms: null,
  error: null,
  error_kind: null,
  metrics_summary: {},
  metric: null,
  greater_is_better: true,
  data_source_id: null,
  cancel_requested_at: null,
  ...patch
});

/**
 * A server in memory. `failure`, where set, is what every read throws.
 */
export class FakeApi implements IOpsApi {
  readonly clockOffset = 0;

  spaces: IWorkspace[] = [workspace('w1')];
  sources: IDataSource[] = [];
  allRuns: IRun[] = [];
  role: 'viewer' | 'member' | 'admin' = 'admin';
  failure: Error | null = null;
  /** what was asked, in order */
  readonly calls: string[] = [];
  /** uploads on their way */
  readonly uploads: IPendingUpload[] = [];
  /** resolved by a test that wants to hold a read of the runs */
  gate: Promise<void> | null = null;

  mayWriteIn(): Promise<boolean> {
    return Promise.resolve(this.role !== 'viewer');
  }

  workspaces(): Promise<IPage<IWorkspace>> {
    return this._answer('workspaces', page(this.spaces));
  }

  createWorkspace(name: string): Promise<IWorkspace> {
    this.spaces.push(workspace(name));
    return this._answer('createWorkspace', workspace(name));
  }

  projects(workspaceId: string): Promise<IPage<IProject>> {
    return this._answer('projects', page([project(`p-${workspaceId}`, workspaceId)]));
  }

  experiments(projectId: string): Promise<IPage<IExperiment>> {
    const row = experiment('e1', { name: 'juice', task: 'classification', target: null });
    return this._answer('experiments', page([{ ...row, project_id: projectId }]));
  }

  dataSources(workspaceId: string): Promise<IPage<IDataSource>> {
    return this._answer(
      'dataSources',
      page(this.sources.filter(row => row.workspace_id === workspaceId))
    );
  }

  uploadDataSource(workspaceId: string, options: IUploadOptions): Promise<IDataSource> {
    this.calls.push(`upload ${options.name}`);
    return new Promise((resolve, reject) => {
      this.uploads.push({
        ...options,
        finish: () => {
          const row = source(options.name ?? options.file.name, workspaceId);
          this.sources.unshift(row);
          resolve(row);
        },
        refuse: reject
      });
    });
  }

  remove(noun: Noun, id: string): Promise<void> {
    this.sources = this.sources.filter(row => row.id !== id);
    this.allRuns = this.allRuns.filter(row => row.id !== id);
    return this._answer(`remove ${noun}`, undefined);
  }

  async runs(): Promise<IPage<IRun>> {
    const now = page([...this.allRuns]);
    await this.gate;
    return this._answer('runs', now);
  }

  cancelRun(id: string): Promise<IRun> {
    const asked = this.allRuns.find(row => row.id === id);
    return asked
      ? this._answer('cancelRun', asked)
      : Promise.reject(new Error('There is no such run.'));
  }

  pipelines(): Promise<IPage<IPipeline>> {
    return this._answer('pipelines', page<IPipeline>([]));
  }

  deployments(): Promise<IPage<IDeployment>> {
    return this._answer('deployments', page<IDeployment>([]));
  }

  resumeDeployment(): Promise<IDeployment> {
    return Promise.reject(new NetworkError('not in this fake'));
  }

  private _answer<T>(call: string, answer: T): Promise<T> {
    this.calls.push(call);
    return this.failure ? Promise.reject(this.failure) : Promise.resolve(answer);
  }
}

export interface IPendingUpload extends IUploadOptions {
  finish(): void;
  refuse(error: Error): void;
}

function page<T>(rows: T[]): IPage<T> {
  return { rows, more: false };
}

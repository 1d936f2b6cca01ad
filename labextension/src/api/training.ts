import { type IProfile, type IProfileQuery, type IVersion, queryOf } from './data';
import type { IMetric, IModelInfo, IOffer, IParam, IPlan, IPreview, ITask } from './engine';
import type { IDataSource, IExperiment, IPage, IRunDetail, Schemas } from './rows';
import { MOST, Transport } from './transport';

export type INewExperiment = Schemas['ExperimentIn'];
export type ISubmission = Schemas['RunIn'];

/**
 * What a form for a new run asks, and where it sends it.
 */
export interface ITrainingApi {
  sources(workspaceId: string): Promise<IPage<IDataSource>>;
  preview(sourceId: string, rows: number): Promise<IPreview>;
  profile(sourceId: string, query: IProfileQuery): Promise<IProfile>;
  /** newest first */
  versions(sourceId: string): Promise<ReadonlyArray<IVersion>>;
  tasks(): Promise<ReadonlyArray<ITask>>;
  offer(task: string): Promise<IOffer>;
  experiments(projectId: string): Promise<IPage<IExperiment>>;
  createExperiment(projectId: string, experiment: INewExperiment): Promise<IExperiment>;
  submit(experimentId: string, submission: ISubmission): Promise<IRunDetail>;
  run(id: string): Promise<IRunDetail>;
}

export class TrainingApi extends Transport implements ITrainingApi {
  sources(workspaceId: string): Promise<IPage<IDataSource>> {
    return this.list<IDataSource>(`workspaces/${workspaceId}/data-sources`, MOST);
  }

  preview(sourceId: string, rows: number): Promise<IPreview> {
    return this.get<IPreview>(`data-sources/${sourceId}/preview`, { rows });
  }

  profile(sourceId: string, query: IProfileQuery): Promise<IProfile> {
    return this.get<IProfile>(`data-sources/${sourceId}/profile`, queryOf(query));
  }

  versions(sourceId: string): Promise<ReadonlyArray<IVersion>> {
    return this.get<ReadonlyArray<IVersion>>(`data-sources/${sourceId}/versions`);
  }

  tasks(): Promise<ReadonlyArray<ITask>> {
    return this.get<ReadonlyArray<ITask>>('describe/tasks');
  }

  async offer(task: string): Promise<IOffer> {
    const [plans, models, metrics, setupParams] = await Promise.all([
      this.get<ReadonlyArray<IPlan>>('describe/plans', { task }),
      this.get<ReadonlyArray<IModelInfo>>('describe/models', { task }),
      this.get<ReadonlyArray<IMetric>>('describe/metrics', { task }),
      this.get<ReadonlyArray<IParam>>('describe/setup-params', { task })
    ]);
    return { plans, models, metrics, setupParams };
  }

  experiments(projectId: string): Promise<IPage<IExperiment>> {
    return this.list<IExperiment>(`projects/${projectId}/experiments`, MOST);
  }

  createExperiment(projectId: string, experiment: INewExperiment): Promise<IExperiment> {
    return this.send<IExperiment>('POST', `projects/${projectId}/experiments`, experiment);
  }

  submit(experimentId: string, submission: ISubmission): Promise<IRunDetail> {
    return this.send<IRunDetail>('POST', `experiments/${experimentId}/runs`, submission);
  }

  run(id: string): Promise<IRunDetail> {
    return this.get<IRunDetail>(`runs/${id}`);
  }
}

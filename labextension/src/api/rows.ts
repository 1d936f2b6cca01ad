/**
 * The rows of the HTTP contract that the panel reads, by the names that it has for them.
 *
 * What is in them is said by the server: `schema.ts` is made from its OpenAPI document.
 */
import type { components } from './schema';

export type Schemas = components['schemas'];

/** RFC 3339, UTC */
export type Timestamp = string;

/** What all rows carry. */
export type IRow = Pick<Schemas['WorkspaceRow'], 'id' | 'created_at' | 'updated_at'>;

export type IWorkspace = Schemas['WorkspaceRow'];
export type IProject = Schemas['ProjectRow'];
export type IExperiment = Schemas['ExperimentRow'];
export type IDataSource = Schemas['DataSourceRow'];
export type IPipeline = Schemas['PipelineRow'];
export type IDeployment = Schemas['DeploymentRow'];
export type IMe = Schemas['Me'];

/** A run as lists give it: without leaderboard and snapshot. */
export type IRun = Schemas['RunBrief'];
/** A run as it is given alone. */
export type IRunDetail = Schemas['RunRow'];
export type RunStatus = IRun['status'];

/** Whether more may become of a run: it waits or goes. */
export function isUnfinished({ status }: Pick<IRun, 'status'>): boolean {
  return status === 'queued' || status === 'running';
}

/** The plan of runs that the server starts itself, to keep a model of another run. */
export const KEEP = 'keep';

/** What a run is called: by its experiment; one that the server started, by what it does. */
export function runTitle(
  run: IRun,
  experiments: ReadonlyMap<string, IExperiment>
): { readonly title: string; readonly small?: string } {
  const experiment = experiments.get(run.experiment_id ?? '');
  if (experiment) {
    return { title: experiment.name, small: run.plan };
  }
  const model = run.metrics_summary?.best?.name ?? run.model_id;
  return run.plan === KEEP && model ? { title: model, small: run.plan } : { title: run.plan };
}

export type IProgress = Schemas['Progress'];
export type IMetricsSummary = Schemas['MetricsSummary'];
/** One scored model; the mean of each metric stands under the metric's own name. */
export type ILeaderboardRow = Schemas['LeaderboardRecord'];
export type ISnapshot = Schemas['Snapshot'];
export type IRunEvent = Schemas['EventRow'];
export type IRunPlot = Schemas['PlotRow'];

export type INewApiKey = Schemas['ApiKeyIn'];
export type IApiKey = Schemas['ApiKeyRow'];
/** The only answer that holds the key itself. */
export type IMadeApiKey = Schemas['NewApiKeyRow'];

/** One page of a list, newest first. */
export interface IPage<T> {
  readonly rows: ReadonlyArray<T>;
  /** whether the server has more than it sent */
  readonly more: boolean;
}

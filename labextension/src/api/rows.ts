/**
 * The rows of the HTTP contract that the panel reads.
 *
 * Written by hand for now; to be generated from the server's OpenAPI document.
 */

/** RFC 3339, UTC */
export type Timestamp = string;

export interface IRow {
  readonly id: string;
  readonly created_at: Timestamp;
  readonly updated_at: Timestamp;
}

export interface IWorkspace extends IRow {
  readonly name: string;
  readonly description?: string | null;
}

export interface IProject extends IRow {
  readonly workspace_id: string;
  readonly name: string;
}

export interface IExperiment extends IRow {
  readonly project_id: string;
  readonly name: string;
  readonly task: string;
  readonly target: string | null;
}

export interface IDataSource extends IRow {
  readonly workspace_id: string;
  readonly name: string;
  readonly kind: 'csv_upload' | 'parquet_upload' | 's3' | 'postgres';
  readonly description?: string | null;
  readonly config: IDataSourceConfig;
}

/** Uploads fill the first half, connectors the second. */
export interface IDataSourceConfig {
  readonly filename?: string;
  readonly size_bytes?: number;
  readonly rows?: number | null;
  readonly columns?: ReadonlyArray<{ readonly name: string; readonly dtype: string }> | null;

  readonly bucket?: string;
  readonly key?: string;
  readonly database?: string;
  readonly schema?: string | null;
  readonly table?: string | null;
}

export type RunStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';

/** A run as lists give it: without leaderboard and snapshot. */
export interface IRun extends IRow {
  readonly experiment_id: string;
  readonly project_id: string;
  readonly workspace_id: string;
  readonly status: RunStatus;
  readonly plan: string;
  readonly model_id: string | null;
  readonly attempt: number;
  readonly progress: IProgress | null;
  readonly queued_at: Timestamp | null;
  readonly started_at: Timestamp | null;
  readonly finished_at: Timestamp | null;
  readonly duration_ms: number | null;
  readonly error: string | null;
  readonly error_kind: string | null;
  readonly metrics_summary: IMetricsSummary | null;
}

/** A run as it is given alone. */
export interface IRunDetail extends IRun {
  readonly data_source_id: string | null;
  readonly leaderboard: ReadonlyArray<ILeaderboardRow>;
  readonly snapshot: ISnapshot;
}

/** One scored model; the mean of each metric stands under the metric's own name. */
export interface ILeaderboardRow {
  readonly model_id: string;
  readonly name: string;
  readonly rank: number;
  readonly std?: Readonly<Record<string, number | null>>;
  /** the run's own metric, fold by fold */
  readonly folds?: ReadonlyArray<number | null>;
  readonly seconds?: number | null;
  readonly [metric: string]: unknown;
}

export interface ISnapshot {
  readonly task: string;
  readonly target: string | null;
  readonly setup_params: Readonly<Record<string, unknown>>;
  readonly plan: string;
  readonly model_id: string | null;
  readonly plan_params: Readonly<Record<string, unknown>>;
  readonly data_source_id: string | null;
  readonly sklearn_dataset?: string | null;
  readonly data_rows: number | null;
  readonly data_changes: ReadonlyArray<{ readonly message: string }>;
  readonly seed: number | null;
  readonly versions: Readonly<Record<string, string>>;
}

export interface IRunEvent {
  readonly seq: number;
  readonly kind: string;
  readonly message: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly duration_ms: number | null;
  readonly timestamp: Timestamp;
}

export interface IRunPlot {
  readonly id: string;
  readonly model_id: string | null;
}

export interface IProgress {
  readonly done: number;
  readonly total: number;
  /** what happens now */
  readonly label: string;
}

export interface IMetricsSummary {
  readonly metric?: string | null;
  readonly best?: {
    readonly model_id: string;
    readonly name?: string | null;
    readonly value: number | null;
  } | null;
  readonly models?: number;
  readonly failed?: number;
}

export interface IPipeline extends IRow {
  readonly workspace_id: string;
  readonly name: string;
  readonly version: number;
  readonly model_id: string | null;
  readonly origin_run_id: string | null;
  readonly task: string;
  readonly metrics: Readonly<Record<string, unknown>> | null;
}

export interface IDeployment extends IRow {
  readonly workspace_id: string;
  readonly pipeline_id: string;
  readonly endpoint_slug: string;
  readonly status: 'active' | 'paused';
  readonly auth_mode: 'workspace' | 'api-key' | 'public';
  readonly inference_count: number;
  readonly error_count: number;
  readonly last_inference_at: Timestamp | null;
  readonly p50_latency_ms: number | null;
  readonly p95_latency_ms: number | null;
}

export interface INewApiKey {
  readonly name: string;
  readonly workspace_id: string;
  readonly scopes: ReadonlyArray<string>;
  readonly deployment_id?: string;
}

export interface IApiKey extends IRow {
  readonly name: string;
  readonly prefix: string;
  /** the key itself; only in the answer that makes it */
  readonly key?: string;
}

export interface IMe {
  readonly id: string;
  readonly name: string;
  readonly memberships: ReadonlyArray<{
    readonly workspace_id: string;
    readonly role: 'viewer' | 'member' | 'admin';
  }>;
}

/** One page of a list, newest first. */
export interface IPage<T> {
  readonly rows: ReadonlyArray<T>;
  /** whether the server has more than it sent */
  readonly more: boolean;
}

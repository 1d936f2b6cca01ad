// Made by `make api-types` from what the server says in `/openapi.json`. Do not edit.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    /**
     * ErrorOut
     * @description Why a request was refused.
     */
    readonly ErrorOut: {
      readonly message: string;
      readonly reason: string;
      /** @default null */
      readonly errors?: readonly Record<string, unknown>[] | null;
      /** @default null */
      readonly error?: string | null;
    };
    /**
     * SourceConfig
     * @description Where the data is. Uploads fill the first half, connectors the second; secrets are in neither.
     */
    readonly SourceConfig: {
      readonly anonymous?: boolean;
      readonly bucket?: string;
      readonly columns?: readonly components['schemas']['ColumnType'][] | null;
      readonly database?: string;
      readonly delimiter?: string | null;
      readonly dialect?: Record<string, unknown> | null;
      readonly dialect_fields?: Record<string, unknown>;
      readonly encoding?: string | null;
      readonly endpoint_url?: string;
      readonly filename?: string | null;
      /** @enum {unknown} */
      readonly format?: 'csv' | 'parquet';
      readonly host?: string;
      readonly key?: string;
      readonly port?: number;
      readonly query?: string;
      readonly region?: string;
      readonly rows?: number | null;
      readonly schema?: string;
      readonly sha256?: string;
      readonly size_bytes?: number;
      readonly sslmode?: string;
      readonly table?: string;
      readonly types_final?: boolean;
      readonly user?: string;
    };
    /**
     * ColumnType
     * @description A column of a file.
     */
    readonly ColumnType: {
      /** @enum {unknown} */
      readonly dtype: 'boolean' | 'datetime' | 'integer' | 'number' | 'string';
      readonly name: string;
      readonly type?: string;
    };
    /**
     * Progress
     * @description How far a run is; `label` says what happens now.
     */
    readonly Progress: {
      readonly done: number;
      readonly label: string;
      readonly total: number;
    };
    /**
     * MetricsSummary
     * @description What a run has found; empty until a model was scored.
     */
    readonly MetricsSummary: {
      readonly baseline?: Record<string, unknown> | null;
      readonly beats_baseline?: boolean | null;
      readonly best?: components['schemas']['BestModel'] | null;
      readonly detail?: string | null;
      readonly failed?: number;
      readonly greater_is_better?: boolean;
      readonly headline?: string | null;
      readonly holdout?: Record<string, unknown> | null;
      readonly holdout_rows?: number | null;
      readonly metric?: string | null;
      readonly models?: number;
      readonly suggested_metric?: string | null;
      readonly threshold?: components['schemas']['Threshold'] | null;
      readonly verdict?: ('better' | 'gap' | 'not_better') | null;
    };
    /**
     * BestModel
     * @description The first of a leaderboard.
     */
    readonly BestModel: {
      readonly model_id: string;
      readonly name?: string | null;
      readonly value: number | null;
    };
    /**
     * Threshold
     * @description From which probability a model of two labels answers the positive one.
     */
    readonly Threshold: {
      readonly by: unknown;
      readonly score: number;
      readonly score_at_half: number;
      readonly value: number;
    };
    /**
     * LeaderboardRecord
     * @description One scored model; the mean of each metric stands under the metric's own name.
     */
    readonly LeaderboardRecord: {
      readonly attempt?: number;
      readonly baseline?: boolean;
      readonly folds?: readonly (number | null)[];
      readonly kept?: boolean;
      readonly model_id: string;
      readonly name: string;
      readonly rank: number;
      readonly seconds?: number | null;
      readonly std?: {
        readonly [key: string]: number | null;
      };
      readonly threshold?: components['schemas']['Threshold'];
      readonly uncorrected?: {
        readonly [key: string]: number | null;
      };
    } & {
      readonly [key: string]: unknown;
    };
    /**
     * Snapshot
     * @description All that is needed to do a run again.
     */
    readonly Snapshot: {
      readonly data_changes: readonly components['schemas']['DataChange'][];
      readonly data_rows: number | null;
      readonly data_sha256: string | null;
      readonly data_source_id: string | null;
      readonly model_id: string | null;
      readonly plan: string;
      readonly plan_params: Record<string, unknown>;
      readonly seed: number | null;
      readonly setup_params: Record<string, unknown>;
      readonly sklearn_dataset?: string | null;
      readonly target: string | null;
      readonly task: string;
      readonly versions: {
        readonly [key: string]: string | null;
      };
    } & {
      readonly [key: string]: unknown;
    };
    /**
     * DataChange
     * @description One thing that was done to the data before the first fit.
     */
    readonly DataChange: {
      readonly message: string;
    } & {
      readonly [key: string]: unknown;
    };
    /**
     * RowSchema
     * @description JSON Schema of one row.
     */
    readonly RowSchema: {
      readonly properties: {
        readonly [key: string]: components['schemas']['FieldSchema'];
      };
      readonly required: readonly string[];
      /** @enum {unknown} */
      readonly type: 'object';
    };
    /**
     * FieldSchema
     * @description What a column takes; `examples` are labels that were seen in training.
     */
    readonly FieldSchema: {
      readonly description?: string;
      readonly examples?: readonly unknown[];
      readonly format?: string;
      readonly type?: string | readonly string[];
    };
    /**
     * Health
     * @description The server is there.
     */
    readonly Health: {
      readonly ok: boolean;
    };
    /**
     * About
     * @description What this is, and where its description is.
     */
    readonly About: {
      readonly name: string;
      readonly version: string;
      readonly api_version: string;
      readonly openapi: string;
      readonly docs: string;
      readonly upload_cap_bytes: number;
    };
    /**
     * SetupStatus
     * @description Whether the first workspace was made.
     */
    readonly SetupStatus: {
      readonly is_bootstrapped: boolean;
      readonly user_count: number;
      readonly workspace_count: number;
    };
    /**
     * BootstrapIn
     * @description The first workspace.
     */
    readonly BootstrapIn: {
      readonly workspace_name: string;
      /** @default null */
      readonly project_name?: string | null;
    };
    /**
     * WorkspaceRow
     * @description A workspace.
     */
    readonly WorkspaceRow: {
      readonly id: string;
      /** Format: date-time */
      readonly created_at: string;
      /** Format: date-time */
      readonly updated_at: string;
      readonly name: string;
      readonly description: string | null;
      readonly created_by: string | null;
    };
    /**
     * Me
     * @description The caller.
     */
    readonly Me: {
      readonly id: string;
      readonly name: string;
      readonly display_name: string;
      readonly memberships: readonly components['schemas']['Membership'][];
    };
    /**
     * Membership
     * @description A role in a workspace.
     */
    readonly Membership: {
      readonly workspace_id: string;
      /** @enum {unknown} */
      readonly role: 'admin' | 'member' | 'viewer';
    };
    /**
     * ApiKeyRow
     * @description A key, without its secret.
     */
    readonly ApiKeyRow: {
      readonly id: string;
      /** Format: date-time */
      readonly created_at: string;
      /** Format: date-time */
      readonly updated_at: string;
      readonly name: string;
      readonly workspace_id: string;
      readonly deployment_id: string | null;
      readonly scopes: readonly ('predict' | 'read' | 'write')[];
      readonly prefix: string;
      readonly expires_at: string | null;
      readonly last_used_at: string | null;
      readonly revoked_at: string | null;
      readonly created_by: string | null;
    };
    /**
     * PageQuery
     * @description How much of a list, and after which row.
     */
    readonly PageQuery: {
      /** @default 100 */
      readonly limit?: number;
      /** @default null */
      readonly cursor?: string | null;
    };
    /**
     * ApiKeyIn
     * @description A key to make.
     */
    readonly ApiKeyIn: {
      readonly name: string;
      readonly workspace_id: string;
      readonly scopes: readonly ('predict' | 'read' | 'write')[];
      /** @default null */
      readonly deployment_id?: string | null;
      /** @default null */
      readonly expires_at?: string | null;
    };
    /**
     * NewApiKeyRow
     * @description A key with its secret, this once.
     */
    readonly NewApiKeyRow: {
      readonly id: string;
      /** Format: date-time */
      readonly created_at: string;
      /** Format: date-time */
      readonly updated_at: string;
      readonly name: string;
      readonly workspace_id: string;
      readonly deployment_id: string | null;
      readonly scopes: readonly ('predict' | 'read' | 'write')[];
      readonly prefix: string;
      readonly expires_at: string | null;
      readonly last_used_at: string | null;
      readonly revoked_at: string | null;
      readonly created_by: string | null;
      readonly key: string;
    };
    /**
     * TaskCard
     * @description A task; `extra` is the extra of the package that brings it, `sample_sets` are data to try it on.
     */
    readonly TaskCard: {
      /** @enum {unknown} */
      readonly answers: 'clusters' | 'flags' | 'labels' | 'numbers' | 'steps';
      readonly default_metric: string | null;
      readonly extra: string | null;
      readonly id: string;
      readonly is_available: boolean;
      readonly name: string;
      readonly rows_are_steps: boolean;
      readonly sample_sets: readonly string[];
      /** @enum {unknown} */
      readonly target: 'optional' | 'refused' | 'required';
    };
    /**
     * ModelCard
     * @description A model; `turbo` ones are tried by a plan that is given none.
     */
    readonly ModelCard: {
      readonly extra: string | null;
      readonly id: string;
      readonly is_available: boolean;
      readonly name: string;
      readonly params: readonly components['schemas']['ModelParam'][];
      readonly turbo: boolean;
    };
    /**
     * ModelParam
     * @description A parameter of a model.
     */
    readonly ModelParam: {
      readonly default: unknown;
      readonly name: string;
    };
    /**
     * TaskQuery
     * @description Which task.
     */
    readonly TaskQuery: {
      readonly task: string;
    };
    /**
     * MetricCard
     * @description A metric.
     */
    readonly MetricCard: {
      readonly greater_is_better: boolean;
      readonly id: string;
      readonly name: string;
    };
    /**
     * ParamCard
     * @description A parameter of a plan or of the set-up.
     */
    readonly ParamCard: {
      readonly default: unknown;
      readonly description: string;
      readonly group?: string;
      readonly name: string;
      readonly schema: components['schemas']['ParamSchema'];
    };
    /**
     * ParamSchema
     * @description The words of JSON Schema that parameters use.
     */
    readonly ParamSchema: {
      readonly anyOf?: readonly Record<string, unknown>[];
      readonly enum?: readonly (string | null)[];
      readonly exclusiveMaximum?: number;
      readonly exclusiveMinimum?: number;
      readonly items?: Record<string, unknown>;
      readonly maximum?: number;
      readonly minItems?: number;
      readonly minimum?: number;
      readonly type?: string | readonly string[];
    };
    /**
     * PlanCard
     * @description A plan.
     */
    readonly PlanCard: {
      readonly default_setup?: Record<string, unknown>;
      readonly description: string;
      readonly id: string;
      readonly name: string;
      readonly needs_model: boolean;
      readonly params: readonly components['schemas']['ParamCard'][];
      readonly takes_model_params: boolean;
    };
    /**
     * PlotCard
     * @description A kind of plot.
     */
    readonly PlotCard: {
      readonly id: string;
      readonly name: string;
    };
    /**
     * WorkspaceIn
     * @description A new workspace.
     */
    readonly WorkspaceIn: {
      readonly name: string;
      /** @default null */
      readonly description?: string | null;
    };
    /**
     * WorkspacePatch
     * @description Changes of a workspace.
     */
    readonly WorkspacePatch: {
      readonly name?: string;
      readonly description?: string | null;
    };
    /**
     * ForceQuery
     * @description Whether to end what stands in the way.
     */
    readonly ForceQuery: {
      /** @default false */
      readonly force?: boolean;
    };
    /**
     * MemberRow
     * @description A member of a workspace.
     */
    readonly MemberRow: {
      readonly id: string;
      /** Format: date-time */
      readonly created_at: string;
      /** Format: date-time */
      readonly updated_at: string;
      readonly user_id: string;
      readonly name: string;
      /** @enum {unknown} */
      readonly role: 'admin' | 'member' | 'viewer';
    };
    /**
     * MemberIn
     * @description A person to invite.
     */
    readonly MemberIn: {
      readonly name: string;
      /** @enum {unknown} */
      readonly role: 'admin' | 'member' | 'viewer';
    };
    /**
     * MemberPatch
     * @description A member's new role.
     */
    readonly MemberPatch: {
      /** @enum {unknown} */
      readonly role: 'admin' | 'member' | 'viewer';
    };
    /**
     * ProjectRow
     * @description A project.
     */
    readonly ProjectRow: {
      readonly id: string;
      /** Format: date-time */
      readonly created_at: string;
      /** Format: date-time */
      readonly updated_at: string;
      readonly workspace_id: string;
      readonly name: string;
      readonly description: string | null;
      readonly tags: readonly string[];
      readonly created_by: string | null;
    };
    /**
     * ProjectIn
     * @description A new project.
     */
    readonly ProjectIn: {
      readonly name: string;
      /** @default null */
      readonly description?: string | null;
      /** @default [] */
      readonly tags?: readonly string[];
    };
    /**
     * ProjectPatch
     * @description Changes of a project.
     */
    readonly ProjectPatch: {
      readonly name?: string;
      readonly description?: string | null;
      readonly tags?: readonly string[];
    };
    /**
     * ExperimentRow
     * @description An experiment.
     */
    readonly ExperimentRow: {
      readonly id: string;
      /** Format: date-time */
      readonly created_at: string;
      /** Format: date-time */
      readonly updated_at: string;
      readonly project_id: string;
      readonly name: string;
      /** @description Id of a task, as GET /describe/tasks lists them */
      readonly task: string;
      readonly target: string | null;
      readonly setup_params: Record<string, unknown>;
      readonly data_source_id: string | null;
      readonly description: string | null;
      readonly created_by: string | null;
    };
    /**
     * ExperimentIn
     * @description A new experiment.
     */
    readonly ExperimentIn: {
      readonly name: string;
      /** @description Id of a task, as GET /describe/tasks lists them */
      readonly task: string;
      /** @default null */
      readonly target?: string | null;
      /** @default {} */
      readonly setup_params?: Record<string, unknown>;
      /** @default null */
      readonly data_source_id?: string | null;
      /** @default null */
      readonly description?: string | null;
    };
    /**
     * ExperimentPatch
     * @description Changes of an experiment.
     */
    readonly ExperimentPatch: {
      readonly name?: string;
      /** @description Id of a task, as GET /describe/tasks lists them */
      readonly task?: string;
      readonly target?: string | null;
      readonly setup_params?: Record<string, unknown>;
      readonly data_source_id?: string | null;
      readonly description?: string | null;
    };
    /**
     * DataSourceRow
     * @description A data source; its secret is never answered.
     */
    readonly DataSourceRow: {
      readonly id: string;
      /** Format: date-time */
      readonly created_at: string;
      /** Format: date-time */
      readonly updated_at: string;
      readonly workspace_id: string;
      readonly name: string;
      /** @enum {unknown} */
      readonly kind: 'csv_upload' | 'excel_upload' | 'parquet_upload' | 'postgres' | 's3';
      readonly description: string | null;
      readonly config: components['schemas']['SourceConfig'];
      readonly has_secret: boolean;
      readonly version: number;
      readonly versions: number;
      readonly types: {
        readonly [key: string]: string;
      };
      readonly created_by: string | null;
    };
    /**
     * DataSourceIn
     * @description A connector to register.
     */
    readonly DataSourceIn: {
      readonly name: string;
      /** @enum {unknown} */
      readonly kind: 'postgres' | 's3';
      readonly config: Record<string, unknown>;
      /** @default null */
      readonly description?: string | null;
    };
    /**
     * DataSourcePatch
     * @description Changes of a data source; null takes away a type that was set, or a field of the dialect.
     */
    readonly DataSourcePatch: {
      readonly name?: string;
      readonly description?: string | null;
      readonly types?: {
        readonly [key: string]:
          ('boolean' | 'category' | 'date' | 'duration' | 'identifier' | 'number' | 'text') | null;
      } | null;
      readonly dialect?: Record<string, unknown>;
    };
    /**
     * DataVersionRow
     * @description A version of an upload: its file, and how that is read.
     */
    readonly DataVersionRow: {
      readonly id: string;
      /** Format: date-time */
      readonly created_at: string;
      /** Format: date-time */
      readonly updated_at: string;
      readonly version: number;
      /** @enum {unknown} */
      readonly kind: 'csv_upload' | 'excel_upload' | 'parquet_upload' | 'postgres' | 's3';
      readonly filename: string | null;
      readonly sha256: string;
      readonly size_bytes: number;
      readonly rows: number | null;
      readonly columns: readonly components['schemas']['ColumnType'][];
      readonly encoding: string | null;
      readonly delimiter: string | null;
      readonly dialect: Record<string, unknown> | null;
      readonly types_final: boolean | null;
      readonly changes: components['schemas']['ChangesOut'] | null;
      readonly created_by: string | null;
    };
    /**
     * ChangesOut
     * @description What a version changes against the one before; `levels` once both have a profile.
     */
    readonly ChangesOut: {
      readonly rows: number | null;
      readonly added: readonly string[];
      readonly removed: readonly string[];
      readonly types: readonly Record<string, unknown>[];
      readonly levels: readonly Record<string, unknown>[];
    };
    /**
     * NewVersionRow
     * @description A data source with a new version, and what this changes.
     */
    readonly NewVersionRow: {
      readonly id: string;
      /** Format: date-time */
      readonly created_at: string;
      /** Format: date-time */
      readonly updated_at: string;
      readonly workspace_id: string;
      readonly name: string;
      /** @enum {unknown} */
      readonly kind: 'csv_upload' | 'excel_upload' | 'parquet_upload' | 'postgres' | 's3';
      readonly description: string | null;
      readonly config: components['schemas']['SourceConfig'];
      readonly has_secret: boolean;
      readonly version: number;
      readonly versions: number;
      readonly types: {
        readonly [key: string]: string;
      };
      readonly created_by: string | null;
      readonly changes: components['schemas']['ChangesOut'];
    };
    /**
     * VersionQuery
     * @description Which version; by default the newest.
     */
    readonly VersionQuery: {
      /** @default null */
      readonly version?: number | null;
    };
    /**
     * Preview
     * @description Columns, first rows, and what they suggest; `total_rows` is null where only a full read would tell.
     */
    readonly Preview: {
      readonly columns: readonly components['schemas']['PreviewColumn'][];
      readonly examined_rows: number;
      readonly rows: readonly Record<string, unknown>[];
      readonly suggestion: components['schemas']['Suggestion'];
      readonly total_rows: number | null;
    };
    /**
     * PreviewColumn
     * @description A column of a preview; the counts are over the rows that were examined.
     */
    readonly PreviewColumn: {
      readonly distinct: number;
      /** @enum {unknown} */
      readonly dtype: 'boolean' | 'datetime' | 'integer' | 'number' | 'string';
      readonly examined: number;
      readonly missing: number;
      readonly name: string;
      readonly type?: string;
    };
    /**
     * Suggestion
     * @description What the data looks good for, and the sentence behind it.
     */
    readonly Suggestion: {
      readonly index?: string;
      readonly reason: string | null;
      readonly target: string | null;
      readonly task: string | null;
    };
    /**
     * PreviewQuery
     * @description How many rows.
     */
    readonly PreviewQuery: {
      /** @default 20 */
      readonly rows?: number;
      /** @default null */
      readonly target?: string | null;
    };
    /**
     * ProfileOut
     * @description A profile; without `columns` until `status` is `ready`.
     */
    readonly ProfileOut: {
      /** @enum {unknown} */
      readonly status: 'failed' | 'pending' | 'ready';
      /** @default 1 */
      readonly version?: number;
      /** @default null */
      readonly rows?: number | null;
      /** @default null */
      readonly duplicates?: number | null;
      /** @default null */
      readonly dialect?: Record<string, unknown> | null;
      /** @default [] */
      readonly columns?: readonly components['schemas']['ProfileColumn'][];
      /** @default [] */
      readonly reported?: readonly Record<string, unknown>[];
      /** @default [] */
      readonly notices?: readonly Record<string, unknown>[];
      /** @default null */
      readonly suggestion?: Record<string, unknown> | null;
      /** @default null */
      readonly progress?: Record<string, unknown> | null;
      /** @default null */
      readonly memory_bytes?: number | null;
      /** @default null */
      readonly error?: string | null;
    };
    /**
     * ProfileColumn
     * @description One column of a profile; values + missing + unreadable are the rows.
     */
    readonly ProfileColumn: {
      readonly name: string;
      readonly type: string;
      readonly dtype: string;
      readonly format: Record<string, unknown> | null;
      readonly values: number;
      readonly missing: number;
      readonly missing_words: {
        readonly [key: string]: number;
      };
      readonly unreadable: components['schemas']['Unreadable'];
      readonly distinct: number;
      readonly min: unknown;
      readonly max: unknown;
      readonly mean: unknown;
      readonly std: number | null;
      readonly quantiles: Record<string, unknown>;
      readonly histogram: Record<string, unknown> | null;
      readonly top: readonly Record<string, unknown>[];
      readonly hints: readonly string[];
      readonly association: number | null;
      readonly recognised_as: string;
      readonly set_by_person: boolean;
      /** @default null */
      readonly detected_type?: string | null;
      readonly alternatives: readonly Record<string, unknown>[];
    };
    /**
     * Unreadable
     * @description Cells that were not read: how many, and up to five of them with row number and text.
     */
    readonly Unreadable: {
      readonly count: number;
      readonly examples: readonly Record<string, unknown>[];
    };
    /**
     * ProfileQuery
     * @description Which version, and the column that others are compared with.
     */
    readonly ProfileQuery: {
      /** @default null */
      readonly target?: string | null;
      /** @default null */
      readonly version?: number | null;
    };
    /**
     * SourceTest
     * @description What a source's test has seen; `rows` and `size_bytes` are null where only a full read would tell.
     */
    readonly SourceTest: {
      readonly ok: boolean;
      readonly message: string;
      /** @default [] */
      readonly columns?: readonly components['schemas']['ColumnType'][];
      /** @default null */
      readonly rows?: number | null;
      /** @default null */
      readonly size_bytes?: number | null;
      readonly latency_ms: number;
    };
    /**
     * RunIn
     * @description A run to queue.
     */
    readonly RunIn: {
      readonly plan: string;
      /** @default null */
      readonly model_id?: string | null;
      /** @default {} */
      readonly plan_params?: Record<string, unknown>;
      /** @default null */
      readonly target?: string | null;
      /** @default {} */
      readonly setup_params?: Record<string, unknown>;
      /**
       * @default kernel
       * @enum {unknown}
       */
      readonly executor?: 'kernel' | 'notebook';
      /** @default null */
      readonly data_source_id?: string | null;
      /** @default null */
      readonly data_version?: number | null;
      /** @default null */
      readonly sklearn_dataset?: string | null;
      /** @default null */
      readonly data_inline?: readonly Record<string, unknown>[] | null;
      /** @default null */
      readonly frame?: components['schemas']['FrameIn'] | null;
    };
    /**
     * FrameIn
     * @description A frame that stays where it is.
     */
    readonly FrameIn: {
      readonly name: string;
      readonly rows: number;
      readonly columns: readonly string[];
    };
    /**
     * NewRunRow
     * @description A run that was just queued; where the caller's kernel executes it, with its token, this once.
     */
    readonly NewRunRow: {
      readonly id: string;
      /** Format: date-time */
      readonly created_at: string;
      /** Format: date-time */
      readonly updated_at: string;
      readonly experiment_id: string | null;
      readonly origin_run_id: string | null;
      readonly project_id: string;
      readonly workspace_id: string;
      /** @enum {unknown} */
      readonly status: 'cancelled' | 'failed' | 'queued' | 'running' | 'succeeded';
      readonly plan: string;
      readonly model_id: string | null;
      /** @enum {unknown} */
      readonly executor: 'kernel' | 'notebook';
      readonly attempt: number;
      readonly progress: components['schemas']['Progress'];
      /** Format: date-time */
      readonly queued_at: string;
      readonly started_at: string | null;
      readonly finished_at: string | null;
      readonly duration_ms: number | null;
      readonly error: string | null;
      readonly error_kind: string | null;
      readonly metrics_summary: components['schemas']['MetricsSummary'];
      readonly metric: string | null;
      readonly greater_is_better: boolean;
      readonly data_source_id: string | null;
      readonly cancel_requested_at: string | null;
      readonly created_by: string | null;
      readonly leaderboard: readonly components['schemas']['LeaderboardRecord'][];
      readonly snapshot: components['schemas']['Snapshot'];
      readonly run_token?: string;
    };
    /**
     * RunBrief
     * @description A run in a list.
     */
    readonly RunBrief: {
      readonly id: string;
      /** Format: date-time */
      readonly created_at: string;
      /** Format: date-time */
      readonly updated_at: string;
      readonly experiment_id: string | null;
      readonly origin_run_id: string | null;
      readonly project_id: string;
      readonly workspace_id: string;
      /** @enum {unknown} */
      readonly status: 'cancelled' | 'failed' | 'queued' | 'running' | 'succeeded';
      readonly plan: string;
      readonly model_id: string | null;
      /** @enum {unknown} */
      readonly executor: 'kernel' | 'notebook';
      readonly attempt: number;
      readonly progress: components['schemas']['Progress'];
      /** Format: date-time */
      readonly queued_at: string;
      readonly started_at: string | null;
      readonly finished_at: string | null;
      readonly duration_ms: number | null;
      readonly error: string | null;
      readonly error_kind: string | null;
      readonly metrics_summary: components['schemas']['MetricsSummary'];
      readonly metric: string | null;
      readonly greater_is_better: boolean;
      readonly data_source_id: string | null;
      readonly cancel_requested_at: string | null;
      readonly created_by: string | null;
    };
    /**
     * ExperimentRunsQuery
     * @description Which runs of an experiment.
     */
    readonly ExperimentRunsQuery: {
      /** @default 100 */
      readonly limit?: number;
      /** @default null */
      readonly cursor?: string | null;
      /** @default null */
      readonly status?: ('cancelled' | 'failed' | 'queued' | 'running' | 'succeeded') | null;
    };
    /**
     * RunsQuery
     * @description Which runs.
     */
    readonly RunsQuery: {
      /** @default 100 */
      readonly limit?: number;
      /** @default null */
      readonly cursor?: string | null;
      /** @default null */
      readonly workspace_id?: string | null;
      /** @default null */
      readonly project_id?: string | null;
      /** @default null */
      readonly experiment_id?: string | null;
      /** @default null */
      readonly status?: ('cancelled' | 'failed' | 'queued' | 'running' | 'succeeded') | null;
      /** @default null */
      readonly plan?: string | null;
      /** @default null */
      readonly data_source_id?: string | null;
    };
    /**
     * RunRow
     * @description A run.
     */
    readonly RunRow: {
      readonly id: string;
      /** Format: date-time */
      readonly created_at: string;
      /** Format: date-time */
      readonly updated_at: string;
      readonly experiment_id: string | null;
      readonly origin_run_id: string | null;
      readonly project_id: string;
      readonly workspace_id: string;
      /** @enum {unknown} */
      readonly status: 'cancelled' | 'failed' | 'queued' | 'running' | 'succeeded';
      readonly plan: string;
      readonly model_id: string | null;
      /** @enum {unknown} */
      readonly executor: 'kernel' | 'notebook';
      readonly attempt: number;
      readonly progress: components['schemas']['Progress'];
      /** Format: date-time */
      readonly queued_at: string;
      readonly started_at: string | null;
      readonly finished_at: string | null;
      readonly duration_ms: number | null;
      readonly error: string | null;
      readonly error_kind: string | null;
      readonly metrics_summary: components['schemas']['MetricsSummary'];
      readonly metric: string | null;
      readonly greater_is_better: boolean;
      readonly data_source_id: string | null;
      readonly cancel_requested_at: string | null;
      readonly created_by: string | null;
      readonly leaderboard: readonly components['schemas']['LeaderboardRecord'][];
      readonly snapshot: components['schemas']['Snapshot'];
    };
    /**
     * WaitQuery
     * @description How long to wait.
     */
    readonly WaitQuery: {
      /** @default 30 */
      readonly timeout_s?: number;
    };
    /**
     * EventRow
     * @description An event of a run.
     */
    readonly EventRow: {
      readonly seq: number;
      readonly kind: string;
      readonly message: string;
      readonly payload: Record<string, unknown>;
      readonly duration_ms: number | null;
      /** Format: date-time */
      readonly timestamp: string;
      readonly run_id: string;
      readonly attempt: number;
    };
    /**
     * EventsQuery
     * @description Which events of a run.
     */
    readonly EventsQuery: {
      /** @default 0 */
      readonly after_seq?: number;
      /** @default 100 */
      readonly limit?: number;
    };
    /**
     * FoldMetricRow
     * @description One metric on one fold of one model.
     */
    readonly FoldMetricRow: {
      readonly id: string;
      /** Format: date-time */
      readonly created_at: string;
      /** Format: date-time */
      readonly updated_at: string;
      readonly run_id: string;
      readonly model_id: string;
      readonly fold_idx: number;
      readonly metric_name: string;
      readonly value: number | null;
    };
    /**
     * ArtifactRow
     * @description A file that a run made.
     */
    readonly ArtifactRow: {
      readonly id: string;
      /** Format: date-time */
      readonly created_at: string;
      /** Format: date-time */
      readonly updated_at: string;
      readonly run_id: string;
      readonly kind: string;
      readonly filename: string;
      readonly model_id: string | null;
      readonly sha256: string;
      readonly size_bytes: number;
      readonly content_type: string;
    };
    /**
     * PlotRow
     * @description A plot of a run; `id` is the one that `/describe/plots` gives.
     */
    readonly PlotRow: {
      readonly id: string;
      readonly artifact_id: string;
      readonly model_id: string | null;
      readonly size_bytes: number;
      /** Format: date-time */
      readonly created_at: string;
    };
    /**
     * Figure
     * @description A figure as Plotly JSON.
     */
    readonly Figure: {
      readonly data: readonly Record<string, unknown>[];
      readonly layout: Record<string, unknown>;
    };
    /**
     * Notebook
     * @description A notebook in the format of Jupyter.
     */
    readonly Notebook: {
      readonly nbformat: number;
      readonly nbformat_minor: number;
      readonly metadata: Record<string, unknown>;
      readonly cells: readonly Record<string, unknown>[];
    };
    /**
     * PromoteIn
     * @description A name for the run's pipeline.
     */
    readonly PromoteIn: {
      readonly name: string;
      /** @default null */
      readonly description?: string | null;
      /** @default [] */
      readonly tags?: readonly string[];
      /** @default null */
      readonly model_id?: string | null;
    };
    /**
     * PipelineRow
     * @description A promoted pipeline.
     */
    readonly PipelineRow: {
      readonly id: string;
      /** Format: date-time */
      readonly created_at: string;
      /** Format: date-time */
      readonly updated_at: string;
      readonly workspace_id: string;
      readonly name: string;
      readonly version: number;
      readonly description: string | null;
      readonly tags: readonly string[];
      readonly model_id: string;
      readonly origin_run_id: string | null;
      readonly sha256: string;
      readonly size_bytes: number;
      readonly task: string;
      readonly labels: readonly unknown[] | null;
      readonly threshold: number | null;
      readonly metrics: Record<string, unknown>;
      readonly versions: Record<string, unknown>;
      readonly created_by: string | null;
    };
    /**
     * DeploymentIn
     * @description An endpoint for a pipeline.
     */
    readonly DeploymentIn: {
      readonly endpoint_slug: string;
      /**
       * @default workspace
       * @enum {unknown}
       */
      readonly auth_mode?: 'api-key' | 'public' | 'workspace';
      /** @default null */
      readonly threshold?: number | null;
    };
    /**
     * DeploymentRow
     * @description A deployment, with its live counts.
     */
    readonly DeploymentRow: {
      readonly id: string;
      /** Format: date-time */
      readonly created_at: string;
      /** Format: date-time */
      readonly updated_at: string;
      readonly workspace_id: string;
      readonly pipeline_id: string;
      readonly endpoint_slug: string;
      /** @enum {unknown} */
      readonly status: 'active' | 'paused';
      /** @enum {unknown} */
      readonly auth_mode: 'api-key' | 'public' | 'workspace';
      readonly threshold: number | null;
      readonly ready: boolean;
      readonly load_ms: number | null;
      readonly inference_count: number;
      readonly error_count: number;
      readonly last_inference_at: string | null;
      readonly p50_latency_ms: number | null;
      readonly p95_latency_ms: number | null;
      readonly created_by: string | null;
    };
    /**
     * DeploymentPatch
     * @description Changes of a deployment.
     */
    readonly DeploymentPatch: {
      readonly pipeline_id?: string;
      /** @enum {unknown} */
      readonly status?: 'active' | 'paused';
      /** @enum {unknown} */
      readonly auth_mode?: 'api-key' | 'public' | 'workspace';
      readonly threshold?: number | null;
    };
    /**
     * PredictIn
     * @description Rows to predict; for a time series without other columns, how many steps ahead instead.
     */
    readonly PredictIn: {
      readonly rows?: readonly unknown[];
      readonly horizon?: number;
    };
    /**
     * PredictOut
     * @description Predictions.
     */
    readonly PredictOut: {
      readonly deployment_id: string;
      readonly endpoint_slug: string;
      readonly predictions: readonly components['schemas']['Prediction'][];
      readonly warnings: readonly string[];
      readonly latency_ms: number;
      readonly request_id: string;
    };
    /**
     * Prediction
     * @description One row's prediction.
     */
    readonly Prediction: {
      readonly index: number;
      readonly prediction: unknown;
      /** @default null */
      readonly probabilities?: {
        readonly [key: string]: number;
      } | null;
      /** @default null */
      readonly score?: number | null;
      /** @default null */
      readonly time?: unknown;
    };
    /**
     * DeploymentSchema
     * @description What a deployment takes and gives.
     */
    readonly DeploymentSchema: {
      readonly row: components['schemas']['RowSchema'];
      readonly example: Record<string, unknown>;
      readonly labels: readonly unknown[] | null;
    };
    /**
     * InvocationsIn
     * @description Rows in one of MLflow's four forms; `params` are taken and not used.
     */
    readonly InvocationsIn: {
      readonly dataframe_split?: components['schemas']['SplitFrame'];
      readonly dataframe_records?: readonly Record<string, unknown>[];
      readonly instances?: readonly unknown[];
      readonly inputs?:
        | {
            readonly [key: string]: readonly unknown[];
          }
        | readonly unknown[];
      /** @default null */
      readonly params?: Record<string, unknown> | null;
    };
    /**
     * SplitFrame
     * @description A table as pandas' `to_dict("split")` writes it.
     */
    readonly SplitFrame: {
      readonly columns: readonly string[];
      readonly data: readonly (readonly unknown[])[];
      /** @default null */
      readonly index?: readonly unknown[] | null;
    };
    /**
     * InvocationsOut
     * @description Predictions, as MLflow's clients read them.
     */
    readonly InvocationsOut: {
      readonly predictions: readonly unknown[];
    };
    /**
     * Live
     * @description The server is there.
     */
    readonly Live: {
      readonly live: boolean;
    };
    /**
     * Ready
     * @description It answers requests.
     */
    readonly Ready: {
      readonly ready: boolean;
      /** @default null */
      readonly name?: string | null;
    };
    /**
     * ModelMetadata
     * @description What a deployment takes and gives, in the words of the Open Inference Protocol.
     */
    readonly ModelMetadata: {
      readonly name: string;
      readonly versions: readonly string[];
      readonly platform: string;
      readonly inputs: readonly components['schemas']['TensorMetadata'][];
      readonly outputs: readonly components['schemas']['TensorMetadata'][];
    };
    /**
     * TensorMetadata
     * @description What an input or output looks like; -1 stands for the number of rows.
     */
    readonly TensorMetadata: {
      readonly name: string;
      readonly datatype: string;
      readonly shape: readonly number[];
      /** @default {} */
      readonly parameters?: Record<string, unknown>;
    };
    /**
     * InferIn
     * @description A request of the Open Inference Protocol.
     */
    readonly InferIn: {
      readonly inputs: readonly components['schemas']['InferTensor'][];
      /** @default null */
      readonly id?: string | null;
      /** @default [] */
      readonly outputs?: readonly components['schemas']['InferWanted'][];
      /** @default {} */
      readonly parameters?: Record<string, unknown>;
    };
    /**
     * InferTensor
     * @description A tensor of the Open Inference Protocol: one column, or all of them side by side.
     */
    readonly InferTensor: {
      readonly name: string;
      readonly shape: readonly number[];
      /** @enum {unknown} */
      readonly datatype:
        | 'BOOL'
        | 'BYTES'
        | 'FP16'
        | 'FP32'
        | 'FP64'
        | 'INT16'
        | 'INT32'
        | 'INT64'
        | 'INT8'
        | 'UINT16'
        | 'UINT32'
        | 'UINT64'
        | 'UINT8';
      /** @default null */
      readonly data?: readonly unknown[] | null;
      /** @default {} */
      readonly parameters?: Record<string, unknown>;
    };
    /**
     * InferWanted
     * @description An output that is asked for.
     */
    readonly InferWanted: {
      /** @enum {unknown} */
      readonly name: 'prediction' | 'probabilities' | 'score' | 'time';
      /** @default {} */
      readonly parameters?: Record<string, unknown>;
    };
    /**
     * InferOut
     * @description An answer of the Open Inference Protocol.
     */
    readonly InferOut: {
      readonly model_name: string;
      readonly model_version: string;
      readonly outputs: readonly components['schemas']['InferTensor'][];
      /** @default null */
      readonly id?: string | null;
      /** @default {} */
      readonly parameters?: Record<string, unknown>;
    };
  };
  responses: never;
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;

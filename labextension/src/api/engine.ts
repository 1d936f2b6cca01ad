/**
 * What the engine says that it offers, and what a data source looks like.
 */

export interface ITask {
  readonly id: string;
  readonly name: string;
  readonly is_available: boolean;
  /** the extra of the package that brings it */
  readonly extra: string | null;
  readonly default_metric: string | null;
}

export interface IModelInfo {
  readonly id: string;
  readonly name: string;
  readonly is_available: boolean;
  readonly extra: string | null;
  /** tried by a plan that is given no models */
  readonly turbo: boolean;
}

export interface IMetric {
  readonly id: string;
  readonly name: string;
  readonly greater_is_better: boolean;
}

export interface IParamSchema {
  readonly type?: string | ReadonlyArray<string>;
  readonly enum?: ReadonlyArray<string>;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly items?: { readonly type?: string };
}

export interface IParam {
  readonly name: string;
  readonly schema: IParamSchema;
  readonly default: unknown;
  readonly description: string;
}

export interface IPlan {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly needs_model: boolean;
  readonly params: ReadonlyArray<IParam>;
}

export interface IPlotInfo {
  readonly id: string;
  readonly name: string;
}

/** All that a form needs to know about one task. */
export interface IOffer {
  readonly plans: ReadonlyArray<IPlan>;
  readonly models: ReadonlyArray<IModelInfo>;
  readonly metrics: ReadonlyArray<IMetric>;
  readonly setupParams: ReadonlyArray<IParam>;
}

export interface IColumn {
  readonly name: string;
  readonly dtype: string;
  readonly missing: number;
  readonly distinct: number;
  readonly examined: number;
}

export interface IPreview {
  readonly columns: ReadonlyArray<IColumn>;
  readonly rows: ReadonlyArray<Readonly<Record<string, unknown>>>;
  readonly total_rows: number | null;
  readonly suggestion: {
    readonly target: string | null;
    readonly task: string | null;
    readonly reason: string | null;
  } | null;
}

import type { IMetric, IPlotInfo } from '../api/engine';
import {
  type IExperiment,
  type ILeaderboardRow,
  type IPipeline,
  type IRunDetail,
  type IRunEvent,
  type IRunPlot,
  isUnfinished
} from '../api/rows';
import { type ILine, ON_LINE } from '../common/line';
import type { ViewPhase } from '../common/phase';

export interface IFitting {
  readonly model_id: string;
  readonly name: string;
  readonly fold: number | null;
  readonly folds: number | null;
}

export interface IFailedModel {
  readonly model_id: string;
  readonly name: string;
  readonly error: string;
}

export interface IRunState extends ILine {
  readonly phase: ViewPhase;
  readonly trouble: string | null;
  readonly run: IRunDetail | null;
  readonly experiment: IExperiment | null;
  /** false for a viewer: reads, and has no actions */
  readonly mayWrite: boolean;
  readonly sourceName: string | null;
  readonly metrics: ReadonlyArray<IMetric>;
  /** the metric that ranks */
  readonly metric: string | null;
  /** scored models, best first */
  readonly rows: ReadonlyArray<ILeaderboardRow>;
  /** models that are being scored, in the order in which they began */
  readonly fitting: ReadonlyArray<IFitting>;
  readonly failed: ReadonlyArray<IFailedModel>;
  /** models that a plan will try, by id */
  readonly candidates: ReadonlyArray<string>;
  /** names of models as far as the run has told them, by id */
  readonly names: Readonly<Record<string, string>>;
  readonly changes: ReadonlyArray<string>;
  readonly events: ReadonlyArray<IRunEvent>;
  readonly cancelling: boolean;
  /** an action that did not work, in one sentence */
  readonly notice: string | null;
  readonly plots: ReadonlyArray<IRunPlot>;
  readonly plotNames: ReadonlyArray<IPlotInfo>;
  readonly pipelines: ReadonlyArray<IPipeline>;
  readonly promoted: IPipeline | null;
  readonly promoting: boolean;
  /** models that are being kept, by id, and since when in ms */
  readonly keeping: Readonly<Record<string, number>>;
}

export const NO_RUN: IRunState = {
  phase: 'loading',
  trouble: null,
  run: null,
  experiment: null,
  mayWrite: true,
  sourceName: null,
  metrics: [],
  metric: null,
  rows: [],
  fitting: [],
  failed: [],
  candidates: [],
  names: {},
  changes: [],
  events: [],
  ...ON_LINE,
  cancelling: false,
  notice: null,
  plots: [],
  plotNames: [],
  pipelines: [],
  promoted: null,
  promoting: false,
  keeping: {}
};

type Summary = IRunDetail['metrics_summary'];

/** What the run has found, once it says whether its best model is worth anything. */
export function foundOf(state: Pick<IRunState, 'run'>): Summary | null {
  const summary = state.run?.metrics_summary;
  return summary?.headline ? summary : null;
}

/** Whether models of a run can be kept: it has ended, and its table is stored. */
export function canKeep({ run, mayWrite }: Pick<IRunState, 'run' | 'mayWrite'>): boolean {
  return run !== null && mayWrite && !isUnfinished(run) && run.executor !== 'notebook';
}

/** What is reached without learning anything; null where the run has none. */
export function baselineOf(state: Pick<IRunState, 'run'>): ILeaderboardRow | null {
  const record = state.run?.metrics_summary?.baseline;
  return record ? (record as unknown as ILeaderboardRow) : null;
}

const NOT_METRICS = new Set(['model_id', 'name', 'rank', 'std', 'folds', 'seconds', 'attempt']);

/** The metrics of a leaderboard, the ranking one first. */
export function metricsOf(
  rows: ReadonlyArray<ILeaderboardRow>,
  metric: string | null
): ReadonlyArray<string> {
  const names = new Set<string>(metric === null ? [] : [metric]);
  for (const row of rows) {
    for (const [name, value] of Object.entries(row)) {
      if (!NOT_METRICS.has(name) && (value === null || typeof value === 'number')) {
        names.add(name);
      }
    }
  }
  return [...names];
}

export function valueOf(row: ILeaderboardRow, name: string): number | null {
  const value = row[name];
  return typeof value === 'number' ? value : null;
}

/**
 * Whether more is better. The run says it of its own metric, the engine of the others; what neither
 * knows is taken for a score.
 */
export function greaterIsBetter(
  { run, metrics }: Pick<IRunState, 'run' | 'metrics'>,
  name: string | null
): boolean {
  if (run !== null && run.metric === name) {
    return run.greater_is_better;
  }
  return metrics.find(one => one.id === name)?.greater_is_better ?? true;
}

/** Rows by one column; what is missing comes last either way. */
export function sorted(
  rows: ReadonlyArray<ILeaderboardRow>,
  column: string,
  descending: boolean
): ReadonlyArray<ILeaderboardRow> {
  return [...rows].sort((a, b) => {
    const [x, y] = [valueOf(a, column), valueOf(b, column)];
    if (x === null || y === null) {
      return Number(x === null) - Number(y === null);
    }
    return descending ? y - x : x - y;
  });
}

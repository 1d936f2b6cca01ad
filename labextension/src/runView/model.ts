import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import { ResponseError } from '../api/errors';
import {
  type IPipeline,
  type IRun,
  type IRunDetail,
  type IRunEvent,
  isUnfinished
} from '../api/rows';
import type { IRunApi } from '../api/runs';
import { lineFor, ON_LINE } from '../common/line';
import { phaseFor } from '../common/phase';
import { refusalOf } from '../common/words';
import { after, ranked } from './events';
import { type IRunState, metricsOf, NO_RUN, valueOf } from './state';
import { EventStream } from './stream';

/** ms before the row of an ended run is read again where it was not reached, and the longest wait */
const SOON = 1000;
const LONGEST = 30000;

/**
 * One run as it goes: its row, and what its events tell.
 */
export class RunModel {
  constructor(
    readonly id: string,
    private readonly _api: IRunApi,
    private readonly _trans: TranslationBundle
  ) {
    this._stream = new EventStream({
      open: seq => this._api.stream(id, seq),
      fetch: seq => this._api.events(id, seq),
      onEvents: events => this._take(events),
      onLine: trouble => this._note(trouble),
      onClosed: () => {
        this._isOver = true;
        void this._end();
      }
    });
  }

  readonly changed: ISignal<this, void> = new Signal<this, void>(this);
  readonly promoted: ISignal<this, IPipeline> = new Signal<this, IPipeline>(this);
  /** Emitted with what was learned of the run: its status, its progress, its best model. */
  readonly learned: ISignal<this, RunNews> = new Signal<this, RunNews>(this);

  get state(): IRunState {
    return this._state;
  }

  get api(): IRunApi {
    return this._api;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /**
   * Say whether anybody can see the run: the line to it is held only then.
   */
  setActive(active: boolean): void {
    this._active = active;
    if (!active) {
      this._stream.stop();
      clearTimeout(this._again);
    } else if (this._state.run === null) {
      void this.load();
    } else if (!this._isOver) {
      this._stream.start();
    } else if (!this._isComplete) {
      void this._end();
    }
  }

  async load(): Promise<void> {
    this._patch({ phase: 'loading', trouble: null });
    try {
      const run = await this._api.run(this.id);
      const [experiment, mayWrite] = await Promise.all([
        run.experiment_id === null
          ? null
          : this._api.experiment(run.experiment_id).catch(() => null),
        this._api.mayWriteIn(run.workspace_id)
      ]);
      this._patch({
        phase: 'live',
        run,
        experiment,
        mayWrite,
        cancelling: isUnfinished(run) && run.cancel_requested_at !== null,
        metric: run.metrics_summary?.metric ?? null,
        rows: run.leaderboard,
        changes: run.snapshot.data_changes.map(change => change.message)
      });
      void this._loadNames();
      if (this._active) {
        this._stream.start();
      }
    } catch (error) {
      this._patch({ phase: phaseFor(error), trouble: this._sentence(error) });
    }
  }

  async cancel(): Promise<void> {
    if (this._state.cancelling) {
      return;
    }
    this._patch({ cancelling: true, notice: null });
    try {
      const row = await this._api.cancel(this.id);
      const { run } = this._state;
      // Its end may have been told before the answer came.
      if (run && isUnfinished(run)) {
        this._patch({ run: { ...run, ...row } });
      }
    } catch (error) {
      this._patch({ cancelling: false, notice: this._sentence(error) });
    }
  }

  /**
   * Have a model of the leaderboard fitted on all rows, and wait until it is kept.
   *
   * Resolves to whether it is.
   */
  async keep(modelId: string): Promise<boolean> {
    if (this._state.keeping[modelId] !== undefined) {
      return false;
    }
    this._patch({ keeping: { ...this._state.keeping, [modelId]: Date.now() }, notice: null });
    try {
      let keeper = await this._api.keep(this.id, modelId);
      while (isUnfinished(keeper) && !this._isDisposed) {
        await new Promise(resolve => setTimeout(resolve, SOON));
        keeper = await this._api.run(keeper.id);
      }
      if (keeper.status !== 'succeeded') {
        this._patch({ notice: keeper.error ?? this._trans.__('The model was not kept.') });
        return false;
      }
      const run = await this._api.run(this.id);
      this._patch({ run, rows: run.leaderboard });
      return true;
    } catch (error) {
      this._patch({ notice: this._sentence(error) });
      return false;
    } finally {
      const others = Object.entries(this._state.keeping).filter(([id]) => id !== modelId);
      this._patch({ keeping: Object.fromEntries(others) });
    }
  }

  /** Promote a model, the best one for null; one that is not kept is kept first. */
  async promote(name: string, modelId: string | null = null): Promise<void> {
    if (this._state.promoting) {
      return;
    }
    this._patch({ promoting: true, notice: null });
    try {
      const row = this._state.rows.find(one => one.model_id === modelId);
      if (row && !row.kept && !(await this.keep(row.model_id))) {
        return;
      }
      const made = await this._api.promote(this.id, name.trim(), modelId);
      this._patch({ promoted: made, pipelines: [made, ...this._state.pipelines] });
      (this.promoted as Signal<this, IPipeline>).emit(made);
    } catch (error) {
      this._patch({ notice: this._sentence(error) });
    } finally {
      this._patch({ promoting: false });
    }
  }

  say(notice: string | null): void {
    this._patch({ notice });
  }

  dispose(): void {
    this._isDisposed = true;
    this._stream.stop();
    clearTimeout(this._again);
    Signal.clearData(this);
  }

  private _note(trouble: unknown): void {
    const line = trouble === null ? ON_LINE : lineFor(trouble);
    const { online, reason, signedOut } = this._state;
    if (line.online !== online || line.reason !== reason || line.signedOut !== signedOut) {
      this._patch(line);
    }
  }

  private _take(events: ReadonlyArray<IRunEvent>): void {
    this._set(after(this._state, events));
  }

  /** The run is over: its row has the last word, and there are plots. Asks until the server answers. */
  private async _end(): Promise<void> {
    clearTimeout(this._again);
    try {
      const run = await this._api.run(this.id);
      const [plots, page, plotNames] = await Promise.all([
        offered(this._api.plots(this.id), []),
        offered(this._api.pipelines(run.workspace_id), null),
        offered(this._api.plotNames(run.snapshot.task), [])
      ]);
      const pipelines = page?.rows ?? [];
      this._isComplete = true;
      this._patch({
        ...ON_LINE,
        run,
        plots,
        plotNames,
        pipelines,
        promoted: pipelines.find(row => row.origin_run_id === run.id) ?? null,
        cancelling: false,
        fitting: [],
        rows: run.leaderboard.length > 0 ? run.leaderboard : this._state.rows,
        metric: run.metrics_summary?.metric ?? this._state.metric
      });
    } catch (error) {
      if (phaseFor(error) === 'missing') {
        this._isComplete = true;
        this._patch({ phase: 'missing' });
        return;
      }
      this._note(error);
      if (this._active && !this._isDisposed) {
        this._again = setTimeout(() => void this._end(), this._wait);
        this._wait = Math.min(LONGEST, 2 * this._wait);
      }
    }
  }

  /** What makes the view nicer, and does not have to be there. */
  private async _loadNames(): Promise<void> {
    const { run } = this._state;
    if (run?.data_source_id) {
      const source = await this._api.source(run.data_source_id).catch(() => null);
      this._patch({ sourceName: source?.name ?? null });
    } else {
      this._patch({ sourceName: run?.snapshot.sklearn_dataset ?? null });
    }
    if (run) {
      const [metrics, models] = await Promise.all([
        this._api.metrics(run.snapshot.task).catch(() => []),
        this._api.models(run.snapshot.task).catch(() => [])
      ]);
      const named = Object.fromEntries(models.map(one => [one.id, one.name]));
      const state = { ...this._state, metrics, names: { ...named, ...this._state.names } };
      this._set({ ...state, rows: ranked(state) });
    }
  }

  private _sentence(error: unknown): string {
    return refusalOf(error, this._trans);
  }

  private _patch(patch: Partial<IRunState>): void {
    this._set({ ...this._state, ...patch });
  }

  private _set(state: IRunState): void {
    if (this._isDisposed) {
      return;
    }
    const before = this._state;
    this._state = state;
    (this.changed as Signal<this, void>).emit();
    // A view that nobody looks at does not follow: what it knows may be old.
    if (this._active && state.run && (state.run !== before.run || state.rows !== before.rows)) {
      (this.learned as Signal<this, RunNews>).emit(newsOf(state.run, state));
    }
  }

  private readonly _stream: EventStream;
  private _state: IRunState = NO_RUN;
  private _active = false;
  private _isDisposed = false;
  /** the run has ended, and all of its events have come */
  private _isOver = false;
  /** what there is of an ended run was read */
  private _isComplete = false;
  private _wait = SOON;
  private _again: ReturnType<typeof setTimeout> | undefined;
}

/** What changes of a run while it goes, as lists have it. */
export type RunNews = Pick<
  IRun,
  | 'status'
  | 'attempt'
  | 'progress'
  | 'started_at'
  | 'finished_at'
  | 'duration_ms'
  | 'error'
  | 'error_kind'
  | 'metrics_summary'
  | 'cancel_requested_at'
>;

/** What a list would say of a run, with the best of the models that were scored so far. */
function newsOf(run: IRunDetail, state: IRunState): RunNews {
  const { status, attempt, progress, started_at, finished_at, duration_ms } = run;
  const { error, error_kind, cancel_requested_at } = run;
  const metric = shownMetric(state);
  const best = state.rows[0];
  const summary =
    best && metric !== null
      ? {
          ...run.metrics_summary,
          metric,
          best: { model_id: best.model_id, name: best.name, value: valueOf(best, metric) },
          ...(isUnfinished(run) ? {} : { models: run.metrics_summary.models ?? state.rows.length })
        }
      : run.metrics_summary;
  return {
    status,
    attempt,
    progress,
    started_at,
    finished_at,
    duration_ms,
    error,
    error_kind,
    metrics_summary: summary,
    cancel_requested_at
  };
}

/** What a server may not have; the rest of the view stands without. */
async function offered<T>(asked: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ResponseError) {
      return otherwise;
    }
    throw error;
  }
}

/** The metric on display: the run's own, or the first one that its rows have. */
export function shownMetric(state: IRunState): string | null {
  return state.metric ?? metricsOf(state.rows, null)[0] ?? null;
}

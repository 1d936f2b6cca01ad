import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import { SignedOut } from '../api/errors';
import type { IPipeline, IRunEvent } from '../api/rows';
import type { IRunApi } from '../api/runs';
import { phaseFor } from '../common/phase';
import { refusalOf } from '../common/words';
import { after, ranked } from './events';
import { type IRunState, metricsOf, NO_RUN } from './state';
import { EventStream } from './stream';

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
      onEvents: events => this._take(events),
      onLine: online => void this._note(online),
      onClosed: () => void this._end()
    });
  }

  readonly changed: ISignal<this, void> = new Signal<this, void>(this);
  readonly promoted: ISignal<this, IPipeline> = new Signal<this, IPipeline>(this);

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
    } else if (this._state.run === null) {
      void this.load();
    } else {
      this._stream.start();
    }
  }

  async load(): Promise<void> {
    this._patch({ phase: 'loading', trouble: null });
    try {
      const run = await this._api.run(this.id);
      const [experiment, mayWrite] = await Promise.all([
        this._api.experiment(run.experiment_id).catch(() => null),
        this._api.mayWriteIn(run.workspace_id)
      ]);
      this._patch({
        phase: 'live',
        run,
        experiment,
        mayWrite,
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
      this._patch({ run: run ? { ...run, ...row } : run });
    } catch (error) {
      this._patch({ cancelling: false, notice: this._sentence(error) });
    }
  }

  async promote(name: string): Promise<void> {
    if (this._state.promoting) {
      return;
    }
    this._patch({ promoting: true, notice: null });
    try {
      const made = await this._api.promote(this.id, name.trim());
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
    Signal.clearData(this);
  }

  /** Note whether the line is there. It breaks without a word: why is what a request is answered. */
  private async _note(online: boolean): Promise<void> {
    this._patch(online ? { online, signedOut: false } : { online });
    if (!online && this._active) {
      await this._api.run(this.id).catch((error: unknown) => {
        this._patch({ signedOut: error instanceof SignedOut });
      });
    }
  }

  private _take(events: ReadonlyArray<IRunEvent>): void {
    this._set(after(this._state, events));
  }

  /** The run is over: its row has the last word, and there are plots. */
  private async _end(): Promise<void> {
    try {
      const run = await this._api.run(this.id);
      const plots = await this._api.plots(this.id).catch(() => []);
      const page = await this._api.pipelines(run.workspace_id).catch(() => null);
      const pipelines = page?.rows ?? [];
      this._patch({
        run,
        plots,
        pipelines,
        promoted: pipelines.find(row => row.origin_run_id === run.id) ?? null,
        cancelling: false,
        fitting: null,
        rows: run.leaderboard.length > 0 ? run.leaderboard : this._state.rows,
        metric: run.metrics_summary?.metric ?? this._state.metric
      });
      const plotNames = await this._api.plotNames(run.snapshot.task).catch(() => []);
      this._patch({ plotNames });
    } catch (error) {
      this._patch({ notice: this._sentence(error) });
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
    if (!this._isDisposed) {
      this._state = state;
      (this.changed as Signal<this, void>).emit();
    }
  }

  private readonly _stream: EventStream;
  private _state: IRunState = NO_RUN;
  private _active = false;
  private _isDisposed = false;
}

/** The metric on display: the run's own, or the first one that its rows have. */
export function shownMetric(state: IRunState): string | null {
  return state.metric ?? metricsOf(state.rows, null)[0] ?? null;
}

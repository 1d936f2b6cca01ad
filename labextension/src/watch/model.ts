import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import { type IRun, runTitle } from '../api/rows';
import type { SidePanelModel } from '../sidePanel/model';
import { isUnfinished } from '../sidePanel/state';
import { type ILineApi, type IWatched, RunLines } from './lines';

/**
 * Runs under way, also while the side panel is hidden.
 *
 * It knows what the panel has read, and asks nothing: while the panel is hidden the server tells over
 * a line what becomes of the runs that are known.
 */
export class RunWatch {
  constructor(
    private readonly _panel: SidePanelModel,
    api: ILineApi
  ) {
    this._lines = new RunLines(api, (id, news) => this._panel.hearOfRun(id, news));
    this._panel.changed.connect(this._look, this);
    this._panel.activeChanged.connect(this._follow, this);
  }

  readonly changed: ISignal<this, void> = new Signal<this, void>(this);
  /** Emitted with a run that was under way and has ended. */
  readonly ended: ISignal<this, IRun> = new Signal<this, IRun>(this);

  /** whether the runs were read yet: before, no count is known */
  get knows(): boolean {
    return this._panel.state.phase === 'live';
  }

  get running(): number {
    return this._count('running');
  }

  get queued(): number {
    return this._count('queued');
  }

  nameOf(run: IRun): string {
    return runTitle(run, this._panel.state.experiments).title;
  }

  dispose(): void {
    this._panel.changed.disconnect(this._look, this);
    this._panel.activeChanged.disconnect(this._follow, this);
    this._lines.watch([]);
    Signal.clearData(this);
  }

  private _count(status: IRun['status']): number {
    return this._panel.state.runs.rows.filter(run => run.status === status).length;
  }

  private _look(): void {
    const { phase, runs } = this._panel.state;
    if (runs.rows === this._seen && phase === this._phase) {
      return;
    }
    this._seen = runs.rows;
    this._phase = phase;
    for (const run of runs.rows) {
      if (this._open.has(run.id) && !isUnfinished(run)) {
        this._open.delete(run.id);
        (this.ended as Signal<this, IRun>).emit(run);
      } else if (isUnfinished(run)) {
        this._open.add(run.id);
      }
    }
    this._follow();
    (this.changed as Signal<this, void>).emit();
  }

  /** The panel reads for itself while it is seen; else there is a line to each run. */
  private _follow(): void {
    const wanted: IWatched[] = [];
    if (!this._panel.isActive) {
      // Newest first; those that run before those that wait.
      for (const status of ['running', 'queued'] as const) {
        for (const run of this._panel.state.runs.rows) {
          if (run.status === status) {
            wanted.push({ id: run.id, status });
          }
        }
      }
    }
    this._lines.watch(wanted);
  }

  private readonly _lines: RunLines;
  private readonly _open = new Set<string>();
  private _seen: ReadonlyArray<IRun> = [];
  private _phase = '';
}

import { Poll } from '@lumino/polling';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import type { IRun } from '../api/rows';
import type { SidePanelModel } from '../sidePanel/model';
import { isUnfinished } from '../sidePanel/state';

/** ms between polls while runs are under way and the panel is hidden */
const INTERVAL = 5000;
const LONGEST = 30000;

/**
 * Runs under way, also while the side panel is hidden.
 *
 * It asks only while it knows of a run that has not ended: a hidden panel without one is silent.
 */
export class RunWatch {
  constructor(private readonly _panel: SidePanelModel) {
    this._poll = new Poll({
      name: 'jupyter-pycaret-ops:runs',
      auto: true,
      factory: () => this._panel.reload(),
      frequency: { interval: INTERVAL, backoff: 2, max: LONGEST },
      linger: 0,
      standby: () => this._panel.isActive || this.unfinished === 0 || 'when-hidden'
    });
    this._panel.changed.connect(this._look, this);
  }

  readonly changed: ISignal<this, void> = new Signal<this, void>(this);
  /** Emitted with a run that was under way and has ended. */
  readonly ended: ISignal<this, IRun> = new Signal<this, IRun>(this);

  get running(): number {
    return this._count('running');
  }

  get queued(): number {
    return this._count('queued');
  }

  get unfinished(): number {
    return this.running + this.queued;
  }

  nameOf(run: IRun): string {
    return this._panel.state.experiments.get(run.experiment_id)?.name ?? run.plan;
  }

  dispose(): void {
    this._panel.changed.disconnect(this._look, this);
    this._poll.dispose();
    Signal.clearData(this);
  }

  private _count(status: IRun['status']): number {
    return this._panel.state.runs.rows.filter(run => run.status === status).length;
  }

  private _look(): void {
    const { rows } = this._panel.state.runs;
    if (rows === this._seen) {
      return;
    }
    this._seen = rows;
    for (const run of rows) {
      if (this._open.has(run.id) && !isUnfinished(run)) {
        this._open.delete(run.id);
        (this.ended as Signal<this, IRun>).emit(run);
      } else if (isUnfinished(run)) {
        this._open.add(run.id);
      }
    }
    (this.changed as Signal<this, void>).emit();
  }

  private readonly _poll: Poll;
  private readonly _open = new Set<string>();
  private _seen: ReadonlyArray<IRun> = [];
}

import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import type { IOpsApi, Noun } from '../api/client';
import {
  NetworkError,
  ResponseError,
  sentenceOf,
  ServerPartMissing,
  SignedOut
} from '../api/errors';
import type { IDataSource, IDeployment, IRow, IRun } from '../api/rows';
import { formatCount } from '../common/format';
import { refusalOf } from '../common/words';
import type { IDoomed } from './doomed';
import { newIn, NONE, patched, without } from './patching';
import { type ILists, type IRead, NO_LISTS, PanelReader } from './reading';
import { type IList, INITIAL, isUnfinished, type IPanelState, type RegionId } from './state';
import { whatHappened } from './telling';
import { UploadQueue } from './uploads';

/** ms between polls while runs are under way, and while nothing is */
const BUSY = 2000;
const IDLE = 10000;
/** the longest wait when the server does not answer, ms */
const LONGEST = 30000;
/** for how long a new row is lit, ms */
const LIT = 1200;

const NOUNS: Readonly<Record<RegionId, Noun>> = {
  data: 'data-sources',
  runs: 'runs',
  models: 'pipelines',
  deployments: 'deployments'
};

/**
 * State of the side panel: what the server last said, and what is under way from here.
 *
 * It knows no widget. `state` is the same object until something changes.
 */
export class SidePanelModel implements IDisposable {
  constructor(options: SidePanelModel.IOptions) {
    this._api = options.api;
    this._trans = options.trans;
    this._clock = options.clock ?? Date.now;
    this._remember = options.remember ?? (() => undefined);
    this._recalled = (options.memory ?? Promise.resolve(null)).then(memory => {
      if (memory) {
        const { workspaceId, projectId, folded } = memory;
        this._patch({ workspaceId, projectId, folded: new Set(folded) });
      }
    });
    this._reader = new PanelReader(this._api, this._clock);
    this._uploads = new UploadQueue(this._api, this._trans);
    this._uploads.changed.connect(() => this._patch({ uploads: this._uploads.rows }));
    this._uploads.arrived.connect((_, row) => this._takeUpload(row));
    this._uploads.refused.connect((_, upload) =>
      this._say(this._trans.__('%1 was not uploaded. %2', upload.filename, upload.reason ?? ''))
    );
    this._poll = new Poll({
      name: 'jupyter-pycaret-ops:side-panel',
      auto: false,
      factory: () => this.reload(),
      frequency: { interval: BUSY, backoff: 2, max: LONGEST },
      linger: 0,
      standby: () => !this._active || this._state.phase === 'missing' || 'when-hidden'
    });
    this._poll.ticked.connect((_, { phase, timestamp, interval }) => {
      const { lost } = this._state;
      if (phase === 'rejected' && lost) {
        this._patch({ lost: { ...lost, retryAt: timestamp + interval } });
      }
    });
  }

  /** Emitted when `state` has become another object. */
  readonly changed: ISignal<this, void> = new Signal<this, void>(this);

  /** One sentence for a screen reader. */
  readonly said: ISignal<this, string> = new Signal<this, string>(this);

  /** Emitted when somebody begins or ceases to see the panel. */
  readonly activeChanged: ISignal<this, void> = new Signal<this, void>(this);

  get state(): IPanelState {
    return this._state;
  }

  /** whether anybody can see the panel */
  get isActive(): boolean {
    return this._active;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._lit.forEach(timer => clearTimeout(timer));
    this._uploads.stopAll();
    this._poll.dispose();
    Signal.clearData(this);
  }

  /**
   * Say whether anybody can see the panel. The poll stands still while nobody can.
   */
  setActive(active: boolean): void {
    if (active === this._active || this._isDisposed) {
      return;
    }
    this._active = active;
    (this.activeChanged as Signal<this, void>).emit();
    if (active) {
      this.refresh();
    }
  }

  /**
   * Ask now, out of turn.
   */
  refresh(): void {
    if (this._isDisposed || !this._active) {
      return;
    }
    if (this._state.phase === 'missing') {
      this._patch({ phase: 'loading' });
    }
    void this._poll.refresh();
  }

  /**
   * Read everything that is on display. Rejects when it cannot: the poll then waits longer.
   */
  async reload(): Promise<void> {
    const turn = ++this._turn;
    this._reads += 1;
    await this._recalled;
    try {
      const read = await this._reader.read(this._state);
      if (turn === this._turn && !this._isDisposed) {
        this._take({ ...read, lists: this._withHeard(read.lists) });
      }
    } catch (error) {
      if (turn === this._turn && !this._isDisposed) {
        this._fail(error);
      }
      throw error;
    }
  }

  selectWorkspace(workspaceId: string): void {
    if (workspaceId !== this._state.workspaceId) {
      this._rescope({ workspaceId, projectId: null, projects: [] });
    }
  }

  selectProject(projectId: string): void {
    if (projectId !== this._state.projectId) {
      this._rescope({ projectId });
    }
  }

  async createWorkspace(name: string): Promise<void> {
    await this._act(async () => {
      const made = await this._api.createWorkspace(name);
      this._rescope({ workspaceId: made.id, projectId: null, projects: [] });
    });
  }

  toggleRegion(region: RegionId): void {
    const folded = new Set(this._state.folded);
    if (!folded.delete(region)) {
      folded.add(region);
    }
    this._patch({ folded });
    this._memorise();
  }

  /**
   * Fetch more rows of a list than it has.
   */
  showMore(region: RegionId): void {
    this._reader.askForMore(region);
    this.refresh();
  }

  /** Say which run, deployment or data stands in front in the main area. */
  setShown(shown: string | null): void {
    this._patch({ shown });
  }

  dismissNotice(): void {
    this._patch({ notice: null });
  }

  upload(files: Iterable<File>): void {
    const { workspaceId, data, mayWrite, lost } = this._state;
    if (workspaceId !== null && mayWrite && lost === null) {
      this._uploads.add(
        files,
        workspaceId,
        data.rows.map(row => row.name)
      );
    }
  }

  /**
   * Show a run that was started from here before the next read brings it.
   */
  noteRun(run: IRun): void {
    const { workspaceId, projectId } = this._state;
    if (run.workspace_id === workspaceId && run.project_id === projectId) {
      this._putFirst('runs', run);
    }
    this._readAnew();
  }

  /**
   * Show a deployment that was made from here before the next read brings it.
   */
  noteDeployment(row: IDeployment): void {
    if (row.workspace_id === this._state.workspaceId) {
      this._putFirst('deployments', row);
    }
    this._readAnew();
  }

  /** The newest deployment that serves a pipeline, as far as the panel knows; null where none does. */
  deploymentOf(pipelineId: string): string | null {
    return this._state.deployments.rows.find(row => row.pipeline_id === pipelineId)?.id ?? null;
  }

  /**
   * Take in what was told of a run outside of a read; null where it is gone.
   */
  hearOfRun(id: string, news: Partial<IRun> | null): void {
    const known = this._state.runs.rows.find(run => run.id === id);
    if (known && isOld(news, known)) {
      return;
    }
    // A read that is under way was asked for before: it must not take this back.
    const heard = this._heard.get(id);
    const earlier = heard?.during === this._reads ? heard.news : null;
    this._heard.set(id, { during: this._reads, news: news && { ...earlier, ...news } });
    if (news !== null) {
      this._replace('runs', id, news);
      return;
    }
    this._drop('runs', id);
  }

  stopUpload(id: string): void {
    this._uploads.stop(id);
  }

  dismissUpload(id: string): void {
    this._uploads.dismiss(id);
  }

  /**
   * Ask a run to stop. The row says so at once; its status follows the server.
   */
  async cancelRun(id: string): Promise<void> {
    if (this._state.cancelling.has(id)) {
      return;
    }
    this._patch({ cancelling: new Set([...this._state.cancelling, id]) });
    const done = await this._act(async () => {
      const run = await this._api.cancelRun(id);
      this._replace('runs', id, run);
    });
    if (!done) {
      this._patch({ cancelling: without(this._state.cancelling, id) });
    }
  }

  /** Delete a row of any region. */
  async delete({ region, id, title }: IDoomed): Promise<void> {
    await this._act(async () => {
      try {
        await this._api.remove(NOUNS[region], id);
      } catch (error) {
        if (!(error instanceof ResponseError && error.status === 404)) {
          throw error;
        }
        // Somebody else was faster.
      }
      this._drop(region, id);
      this._say(this._trans.__('%1 deleted.', title));
    });
  }

  async resumeDeployment(id: string): Promise<void> {
    await this._act(async () => {
      this._replace('deployments', id, await this._api.resumeDeployment(id));
    });
  }

  // ---------------------------------------------------------------- reading

  /** What was read, with what was told of runs since the read began. */
  private _withHeard(lists: ILists): ILists {
    for (const [id, { during }] of this._heard) {
      if (during < this._reads) {
        this._heard.delete(id);
      }
    }
    const rows = lists.runs.rows.flatMap(run => {
      const heard = this._heard.get(run.id);
      if (heard === undefined || isOld(heard.news, run)) {
        return [run];
      }
      return heard.news === null ? [] : [{ ...run, ...heard.news }];
    });
    return { ...lists, runs: { ...lists.runs, rows } };
  }

  private _take({ scope, lists, experiments }: IRead): void {
    const before = this._state;
    const first = before.phase !== 'live';
    const scoped = scope.workspaceId !== null;
    const cancelling = new Set(
      lists.runs.rows
        .filter(run => isUnfinished(run) && before.cancelling.has(run.id))
        .map(run => run.id)
    );
    this._patch({
      ...scope,
      ...lists,
      experiments,
      cancelling: cancelling.size === before.cancelling.size ? before.cancelling : cancelling,
      phase: scoped ? 'live' : 'noWorkspace',
      trouble: null,
      lost: null,
      clockOffset: this._api.clockOffset
    });
    this._readAt = this._clock();
    const busy = lists.runs.rows.some(isUnfinished);
    this._poll.frequency = { interval: busy ? BUSY : IDLE, backoff: 2, max: LONGEST };
    if (scope.workspaceId !== before.workspaceId || scope.projectId !== before.projectId) {
      this._memorise();
    }
    if (before.lost) {
      this._say(this._trans.__('Connected again.'));
    }
    if (!first) {
      this._light(newIn(before, lists));
      whatHappened(before.runs.rows, lists.runs.rows, this._state.experiments, this._trans).forEach(
        sentence => this._say(sentence)
      );
    }
  }

  private _fail(error: unknown): void {
    // After trouble, ask soon at first; the poll doubles from here.
    this._poll.frequency = { interval: BUSY, backoff: 2, max: LONGEST };
    if (error instanceof ServerPartMissing) {
      this._patch({ phase: 'missing', lost: null });
    } else if (error instanceof SignedOut) {
      this._patch({ phase: 'signedOut', lost: null });
    } else if (error instanceof NetworkError || isGateway(error)) {
      this._lose(null);
    } else if (this._state.phase === 'live') {
      // One bad answer takes nothing away that is on display.
      this._lose(sentenceOf(error));
    } else {
      this._patch({ phase: 'unavailable', trouble: sentenceOf(error), lost: null });
    }
  }

  private _lose(reason: string | null): void {
    const { lost } = this._state;
    if (lost === null && reason === null) {
      this._say(this._trans.__('Connection lost.'));
    }
    this._patch({ lost: { asOf: this._readAt, retryAt: lost?.retryAt ?? null, reason } });
  }

  // ---------------------------------------------------------------- acting

  /** Do something, say why where it does not work, and look what has become of it. */
  private async _act(action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      this._patch({ notice: refusalOf(error, this._trans) });
      return false;
    } finally {
      this._readAnew();
    }
  }

  private _rescope(scope: Partial<IPanelState>): void {
    this._turn += 1;
    this._reader.beginAnew();
    this._readAt = null;
    this._patch({ ...scope, phase: 'loading', ...NO_LISTS, fresh: NONE, notice: null });
    this._memorise();
    this.refresh();
  }

  private _takeUpload(row: IDataSource): void {
    if (row.workspace_id === this._state.workspaceId) {
      this._putFirst('data', row, { uploads: this._uploads.rows });
    }
    const rows = row.config.rows;
    this._say(
      typeof rows === 'number'
        ? this._trans.__('%1 uploaded, %2 rows.', row.name, formatCount(rows))
        : this._trans.__('%1 uploaded.', row.name)
    );
    this._readAnew();
  }

  /** Read again; what is being read now was asked for before something was done. */
  private _readAnew(): void {
    this._turn += 1;
    this.refresh();
  }

  /** Show a row that is new, or newer, before the next read brings it. */
  private _putFirst(region: RegionId, row: IRow, more: Partial<IPanelState> = {}): void {
    const list: IList<IRow> = this._state[region];
    const others = list.rows.filter(other => other.id !== row.id);
    this._patch({ ...more, [region]: { ...list, rows: [row, ...others] } });
    this._light([row.id]);
  }

  private _drop(region: RegionId, id: string): void {
    const list: IList<IRow> = this._state[region];
    this._patch({ [region]: { ...list, rows: list.rows.filter(row => row.id !== id) } });
  }

  private _replace<K extends 'runs' | 'deployments'>(
    region: K,
    id: string,
    row: Partial<IPanelState[K]['rows'][number]>
  ): void {
    const list = this._state[region];
    const rows = list.rows.map(old => (old.id === id ? { ...old, ...row } : old));
    this._patch({ [region]: { ...list, rows } });
  }

  // ---------------------------------------------------------------- telling

  /** Light rows that have just come; not again when they are drawn again. */
  private _light(ids: ReadonlyArray<string>): void {
    if (ids.length === 0) {
      return;
    }
    this._patch({ fresh: new Set([...this._state.fresh, ...ids]) });
    const timer = setTimeout(() => {
      this._lit.delete(timer);
      this._patch({ fresh: new Set([...this._state.fresh].filter(id => !ids.includes(id))) });
    }, LIT);
    this._lit.add(timer);
  }

  private _say(sentence: string): void {
    (this.said as Signal<this, string>).emit(sentence);
  }

  private _memorise(): void {
    const { workspaceId, projectId, folded } = this._state;
    this._remember({ workspaceId, projectId, folded: [...folded] });
  }

  private _patch(patch: Partial<IPanelState>): void {
    if (this._isDisposed) {
      return;
    }
    const next = patched(this._state, patch);
    if (next !== this._state) {
      this._state = next;
      (this.changed as Signal<this, void>).emit();
    }
  }

  private readonly _api: IOpsApi;
  private readonly _trans: TranslationBundle;
  private readonly _clock: () => number;
  private readonly _remember: (memory: IMemory) => void;
  private readonly _uploads: UploadQueue;
  private readonly _reader: PanelReader;
  private readonly _poll: Poll;
  /** settled when the state holds what the last visit left */
  private readonly _recalled: Promise<void>;
  private readonly _lit = new Set<ReturnType<typeof setTimeout>>();
  private _state: IPanelState = INITIAL;
  /** how many reads have begun */
  private _reads = 0;
  /** what was told of runs, and which read was the last to begin before; null where a run is gone */
  private readonly _heard = new Map<string, { during: number; news: Partial<IRun> | null }>();
  /** counts reads; only the last one may change the state */
  private _turn = 0;
  private _readAt: number | null = null;
  private _active = false;
  private _isDisposed = false;
}

/** What the panel remembers over a reload of the page. */
export interface IMemory {
  readonly workspaceId: string | null;
  readonly projectId: string | null;
  readonly folded: ReadonlyArray<RegionId>;
}

export namespace SidePanelModel {
  export interface IOptions {
    readonly api: IOpsApi;
    readonly trans: TranslationBundle;
    /** what the last visit left; the first read waits for it */
    readonly memory?: Promise<IMemory | null>;
    readonly remember?: (memory: IMemory) => void;
    /** ms since the epoch */
    readonly clock?: () => number;
  }
}

/** Whether news of a run are older than its row: a run never leaves its end. */
function isOld(news: Partial<IRun> | null, row: IRun): boolean {
  return !isUnfinished(row) && news?.status !== undefined && isUnfinished({ status: news.status });
}

function isGateway(error: unknown): boolean {
  return error instanceof ResponseError && (error.status === 502 || error.status === 504);
}

import type { TranslationBundle } from '@jupyterlab/translation';
import { Poll } from '@lumino/polling';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import type { IApiKey, IDeployment, IMadeApiKey, IPipeline } from '../api/rows';
import type { Access, IAnswer, IInputSchema, IServingApi } from '../api/serving';
import { type ILine, lineFor, ON_LINE } from '../common/line';
import { phaseFor, type ViewPhase } from '../common/phase';
import { refusalOf } from '../common/words';
import { read, textOf } from './fields';
import { keysFor } from './openers';
import type { IVersion } from './versions';

/** ms between polls of the counts, and the longest wait when nobody answers */
const INTERVAL = 3000;
const LONGEST = 30000;
/** readings that the latency line is drawn from */
const READINGS = 60;
const DAY = 24 * 60 * 60 * 1000;

export interface IReading {
  readonly at: number;
  readonly count: number;
  readonly p50: number | null;
  readonly p95: number | null;
}

export interface IDeploymentState extends ILine {
  readonly phase: ViewPhase;
  readonly trouble: string | null;
  readonly deployment: IDeployment | null;
  /** false for a viewer: reads, and has no actions */
  readonly mayWrite: boolean;
  readonly pipeline: IPipeline | null;
  /** what the engine calls its model; the id where the run that made it is gone */
  readonly modelName: string;
  readonly schema: IInputSchema | null;
  /** why there is no form */
  readonly schemaTrouble: string | null;
  readonly texts: Readonly<Record<string, string>>;
  readonly errors: Readonly<Record<string, string>>;
  readonly answer: IAnswer | null;
  readonly refusal: string | null;
  readonly predicting: boolean;
  /** the keys that open it; null where they are not known */
  readonly keys: ReadonlyArray<IApiKey> | null;
  /** a key that was made here: its secret is told once */
  readonly made: IMadeApiKey | null;
  readonly notice: string | null;
  readonly readings: ReadonlyArray<IReading>;
}

const NOTHING: IDeploymentState = {
  phase: 'loading',
  trouble: null,
  deployment: null,
  mayWrite: true,
  pipeline: null,
  modelName: '',
  schema: null,
  schemaTrouble: null,
  texts: {},
  errors: {},
  answer: null,
  refusal: null,
  predicting: false,
  keys: null,
  made: null,
  notice: null,
  ...ON_LINE,
  readings: []
};

/**
 * One deployment: its row, a form made from its schema, and what it answers.
 */
export class DeploymentModel {
  constructor(
    readonly id: string,
    readonly api: IServingApi,
    private readonly _trans: TranslationBundle
  ) {
    this._poll = new Poll({
      name: `jupyter-pycaret-ops:deployment-${id}`,
      auto: false,
      factory: () => this.reload(),
      frequency: { interval: INTERVAL, backoff: 2, max: LONGEST },
      linger: 0,
      standby: () => !this._active || 'when-hidden'
    });
  }

  readonly changed: ISignal<this, void> = new Signal<this, void>(this);

  get state(): IDeploymentState {
    return this._state;
  }

  /** Say whether anybody can see it. The poll stands still while nobody can. */
  setActive(active: boolean): void {
    if (active !== this._active && !this._poll.isDisposed) {
      this._active = active;
      if (active) {
        void this._poll.refresh();
      }
    }
  }

  /** Read the row, and at first what belongs to it. Rejects when it cannot. */
  async reload(): Promise<void> {
    try {
      const deployment = await this.api.deployment(this.id);
      if (this._state.deployment === null) {
        this._patch({ mayWrite: await this.api.mayWriteIn(deployment.workspace_id) });
      }
      this._takeRow(deployment);
      if (this._state.pipeline?.id !== deployment.pipeline_id) {
        await this._readForm(deployment);
      }
      await this._readKeys(deployment);
    } catch (error) {
      const phase = phaseFor(error);
      if (this._state.phase === 'live' && phase !== 'missing') {
        this._patch(lineFor(error));
      } else {
        this._patch({ phase, trouble: this._sentence(error) });
      }
      throw error;
    }
  }

  retry(): void {
    this._patch({ phase: 'loading' });
    void this._poll.refresh();
  }

  set(name: string, text: string): void {
    const errors = Object.fromEntries(
      Object.entries(this._state.errors).filter(([field]) => field !== name)
    );
    this._patch({ texts: { ...this._state.texts, [name]: text }, errors });
  }

  /** Fill in a row that the deployment predicts. */
  example(): void {
    const example = this._state.schema?.example ?? {};
    const texts = Object.fromEntries(
      Object.entries(example).map(([name, value]) => [name, textOf(value)])
    );
    this._patch({ texts, errors: {} });
  }

  async predict(): Promise<void> {
    const { schema, deployment, predicting } = this._state;
    if (!schema || !deployment || predicting) {
      return;
    }
    const { row, errors } = read(schema, this._state.texts);
    if (Object.keys(errors).length > 0) {
      this._patch({
        errors: Object.fromEntries(
          Object.entries(errors).map(([name, fault]) => [
            name,
            fault === 'whole'
              ? this._trans.__('Only whole numbers are taken.')
              : this._trans.__('This is not a number.')
          ])
        )
      });
      return;
    }
    this._patch({ predicting: true, refusal: null, errors: {} });
    try {
      const proba = schema.labels !== null;
      this._patch({ answer: await this.api.predict(deployment.endpoint_slug, row, proba) });
    } catch (error) {
      this._patch({ answer: null, refusal: this._sentence(error) });
    } finally {
      this._patch({ predicting: false });
      void this._poll.refresh();
    }
  }

  async change(patch: {
    readonly status?: IDeployment['status'];
    readonly auth_mode?: Access;
    /** null takes the pipeline's */
    readonly threshold?: number | null;
  }): Promise<void> {
    this._patch({ notice: null });
    try {
      const row = await this.api.patch(this.id, patch);
      this._takeRow(row);
      await this._readKeys(row);
    } catch (error) {
      this._patch({ notice: this._sentence(error) });
    }
  }

  /** The versions of the model that it serves, newest first; null where they cannot be read. */
  async versions(): Promise<ReadonlyArray<IVersion> | null> {
    const { pipeline } = this._state;
    if (!pipeline) {
      return null;
    }
    try {
      const { rows } = await this.api.pipelines(pipeline.workspace_id);
      const own = rows
        .filter(row => row.name === pipeline.name)
        .sort((a, b) => b.version - a.version);
      return await Promise.all(own.map(row => this._described(row)));
    } catch (error) {
      this._patch({ notice: this._sentence(error) });
      return null;
    }
  }

  /** A version with what its run says of it; a run that is gone leaves the plain facts. */
  private async _described(row: IPipeline): Promise<IVersion> {
    const run = row.origin_run_id ? await this.api.run(row.origin_run_id).catch(() => null) : null;
    const record = run?.leaderboard.find(one => one.model_id === row.model_id);
    const metric = run?.metric ?? null;
    const value = metric === null ? undefined : row.metrics[metric];
    return {
      id: row.id,
      version: row.version,
      model: record?.name ?? row.model_id ?? row.task,
      metric,
      value: typeof value === 'number' ? value : null
    };
  }

  /** Serve another pipeline from now on. Rejects where the server does not take it. */
  async serve(pipelineId: string): Promise<void> {
    const row = await this.api.patch(this.id, { pipeline_id: pipelineId });
    this._takeRow(row);
    // What the other version answered says nothing about this one.
    this._patch({ answer: null, refusal: null, notice: null });
    try {
      await this._readForm(row);
    } catch (error) {
      this._patch({ notice: this._sentence(error) });
    }
  }

  /**
   * Make a key that opens this deployment and nothing else. Rejects where the server does not.
   *
   * `days`: how long it lives; null for ever.
   */
  async createKey(name: string, days: number | null): Promise<IMadeApiKey | null> {
    const { deployment } = this._state;
    if (!deployment) {
      return null;
    }
    const now = Date.now() + this.api.clockOffset;
    const made = await this.api.createKey({
      name,
      workspace_id: deployment.workspace_id,
      deployment_id: deployment.id,
      scopes: ['predict'],
      expires_at: days === null ? null : new Date(now + days * DAY).toISOString()
    });
    this._patch({ made, notice: null });
    await this._readKeys(deployment);
    return made;
  }

  async revokeKey(id: string): Promise<void> {
    try {
      await this.api.revokeKey(id);
      const { keys, made } = this._state;
      this._patch({
        keys: keys?.filter(key => key.id !== id) ?? null,
        made: made?.id === id ? null : made,
        notice: null
      });
    } catch (error) {
      this._patch({ notice: this._sentence(error) });
    }
  }

  dismissNotice(): void {
    this._patch({ notice: null });
  }

  dispose(): void {
    this._poll.dispose();
    Signal.clearData(this);
  }

  private async _readForm(deployment: IDeployment): Promise<void> {
    const pipeline = await this.api.pipeline(deployment.pipeline_id);
    this._patch({ pipeline, modelName: await this._nameOf(pipeline) });
    try {
      const schema = await this.api.schema(deployment.endpoint_slug);
      this._patch({ schema, schemaTrouble: null });
      this._fillIn(schema);
    } catch (error) {
      this._patch({ schemaTrouble: this._sentence(error) });
    }
  }

  private async _nameOf({ model_id: id, origin_run_id: runId }: IPipeline): Promise<string> {
    const run = runId ? await this.api.run(runId).catch(() => null) : null;
    return run?.leaderboard.find(row => row.model_id === id)?.name ?? id;
  }

  /** Keep what was typed as far as there are such columns still; the example has the rest. */
  private _fillIn(schema: IInputSchema): void {
    const typed = this._state.texts;
    const texts = Object.keys(schema.row.properties).map(name => [
      name,
      typed[name] ?? textOf(schema.example[name])
    ]);
    this._patch({ texts: Object.fromEntries(texts), errors: {} });
  }

  /** Read who can call it, where keys decide. The view stands without. */
  private async _readKeys(deployment: IDeployment): Promise<void> {
    if (deployment.auth_mode !== 'api-key') {
      return;
    }
    const page = await this.api.keys().catch(() => null);
    if (page) {
      this._patch({ keys: keysFor(deployment, page.rows) });
    }
  }

  private _takeRow(row: IDeployment): void {
    const reading: IReading = {
      at: Date.now(),
      count: row.inference_count,
      p50: row.p50_latency_ms,
      p95: row.p95_latency_ms
    };
    this._patch({
      phase: 'live',
      trouble: null,
      deployment: row,
      ...ON_LINE,
      readings: [...this._state.readings, reading].slice(-READINGS)
    });
  }

  private _sentence(error: unknown): string {
    return refusalOf(error, this._trans);
  }

  private _patch(patch: Partial<IDeploymentState>): void {
    if (!this._poll.isDisposed) {
      this._state = { ...this._state, ...patch };
      (this.changed as Signal<this, void>).emit();
    }
  }

  private readonly _poll: Poll;
  private _state: IDeploymentState = NOTHING;
  private _active = false;
}

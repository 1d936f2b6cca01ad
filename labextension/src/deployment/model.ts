import type { TranslationBundle } from '@jupyterlab/translation';
import { Poll } from '@lumino/polling';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import { NetworkError, sentenceOf, SignedOut } from '../api/errors';
import type { IDeployment, IPipeline } from '../api/rows';
import type { Access, IAnswer, IInputSchema, IServingApi } from '../api/serving';
import { phaseFor, type ViewPhase } from '../common/phase';
import { read, textOf } from './fields';

/** ms between polls of the counts, and the longest wait when nobody answers */
const INTERVAL = 3000;
const LONGEST = 30000;
/** readings that the latency line is drawn from */
const READINGS = 60;

export interface IReading {
  readonly at: number;
  readonly count: number;
  readonly p50: number | null;
  readonly p95: number | null;
}

export interface IDeploymentState {
  readonly phase: ViewPhase;
  readonly trouble: string | null;
  readonly deployment: IDeployment | null;
  readonly pipeline: IPipeline | null;
  readonly schema: IInputSchema | null;
  /** why there is no form */
  readonly schemaTrouble: string | null;
  readonly texts: Readonly<Record<string, string>>;
  readonly errors: Readonly<Record<string, string>>;
  readonly answer: IAnswer | null;
  readonly refusal: string | null;
  readonly predicting: boolean;
  /** a key that was made here, once */
  readonly key: string | null;
  readonly notice: string | null;
  readonly online: boolean;
  readonly signedOut: boolean;
  readonly readings: ReadonlyArray<IReading>;
}

const NOTHING: IDeploymentState = {
  phase: 'loading',
  trouble: null,
  deployment: null,
  pipeline: null,
  schema: null,
  schemaTrouble: null,
  texts: {},
  errors: {},
  answer: null,
  refusal: null,
  predicting: false,
  key: null,
  notice: null,
  online: true,
  signedOut: false,
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
      this._takeRow(deployment);
      if (this._state.pipeline?.id !== deployment.pipeline_id) {
        await this._readForm(deployment);
      }
    } catch (error) {
      const phase = phaseFor(error);
      if (this._state.phase === 'live' && phase !== 'missing') {
        this._patch({ online: false, signedOut: error instanceof SignedOut });
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
  }): Promise<void> {
    this._patch({ notice: null });
    try {
      this._takeRow(await this.api.patch(this.id, patch));
    } catch (error) {
      this._patch({ notice: this._sentence(error) });
    }
  }

  /** Make a key that opens this deployment and nothing else. */
  async createKey(): Promise<void> {
    const { deployment } = this._state;
    if (!deployment) {
      return;
    }
    try {
      const stamp = new Date().toISOString().slice(0, 19).replace('T', ' ');
      const made = await this.api.createKey({
        name: `${deployment.endpoint_slug} ${stamp}`,
        workspace_id: deployment.workspace_id,
        deployment_id: deployment.id,
        scopes: ['predict']
      });
      this._patch({ key: made.key ?? null, notice: null });
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
    this._patch({ pipeline });
    try {
      const schema = await this.api.schema(deployment.endpoint_slug);
      this._patch({ schema, schemaTrouble: null });
      if (Object.keys(this._state.texts).length === 0) {
        this.example();
      }
    } catch (error) {
      this._patch({ schemaTrouble: this._sentence(error) });
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
      online: true,
      signedOut: false,
      readings: [...this._state.readings, reading].slice(-READINGS)
    });
  }

  private _sentence(error: unknown): string {
    return error instanceof NetworkError
      ? this._trans.__('The server was not reached. Try again.')
      : sentenceOf(error);
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

import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import type { ColumnType, INotice } from '../api/data';
import { ResponseError, sentenceOf } from '../api/errors';
import type { IRunDetail } from '../api/rows';
import type { ITrainingApi } from '../api/training';
import { matches } from '../common/columns';
import { refusalOf } from '../common/words';
import { columnsOf, pickedFrom } from './columns';
import { experimentName, fits } from './naming';
import { answered } from './notices';
import { PICKED, textOf } from './params';
import { SAMPLE_TARGET, sampleId, sampleOf } from './samples';
import { availableModels, EMPTY_FORM, type FieldName, type IFormState, takesTarget } from './state';
import { collect, faultsOf, MINUTE } from './submission';
import { Suggestions } from './suggestions';

/** rows of a preview */
const ROWS = 6;
/** the plan that a form begins with, where the engine offers it */
const FIRST_PLAN = 'compare';

/**
 * The form for a new run: what the engine offers, what was chosen, and sending it.
 */
export class NewRunModel {
  constructor(private readonly _options: NewRunModel.IOptions) {
    this._suggestions = new Suggestions(_options.api, {
      state: () => this._state,
      patch: patch => this._patch(patch),
      chooseTask: task => this.chooseTask(task),
      name: () => this._name()
    });
  }

  readonly changed: ISignal<this, void> = new Signal<this, void>(this);
  /** Emitted with the run when the server has taken it. */
  readonly started: ISignal<this, IRunDetail> = new Signal<this, IRunDetail>(this);

  get state(): IFormState {
    return this._state;
  }

  /**
   * Ask for what the form is made of; again after trouble.
   */
  async load(): Promise<void> {
    const { api, workspaceId, projectId } = this._options;
    this._patch({ phase: 'loading', trouble: null });
    try {
      // The engine may have to be started for its answer: the data is shown before it comes.
      const tasks = api.tasks().then(
        rows => this._patch({ tasks: rows }),
        (error: unknown) => Promise.reject(this._older(error))
      );
      const data = Promise.all([api.sources(workspaceId), api.experiments(projectId)]);
      const begun = data.then(async ([sources, experiments]) => {
        if (this._state.phase === 'trouble') {
          return; // the engine has failed sooner than the data came
        }
        this._patch({ sources: sources.rows, experiments: experiments.rows, phase: 'ready' });
        this._tasks = tasks;
        await this._begin();
      });
      await Promise.all([tasks, begun]);
    } catch (error) {
      this._patch({ phase: 'trouble', trouble: sentenceOf(error) });
    }
  }

  async chooseSource(sourceId: string, version: number | null = null): Promise<void> {
    const turn = ++this._turn;
    this._suggestions.begin();
    this._patch({
      ...NO_DATA,
      sourceId,
      version,
      dataHint: null,
      target: '',
      errors: {},
      values: this._without('index', 'merge_levels', 'positive_class', ...PICKED)
    });
    if (sourceId === '') {
      return;
    }
    const sample = sampleOf(sourceId);
    if (sample !== null) {
      this._patch({ target: SAMPLE_TARGET });
      await this._tasks;
      const suited = this._state.tasks.find(one => one.sample_sets.includes(sample));
      await this.chooseTask(suited?.id ?? (await this._firstTask()));
      this._name();
      return;
    }
    try {
      const [preview, versions] = await Promise.all([
        this._options.api.preview(sourceId, ROWS),
        this._suggestions.versions(sourceId)
      ]);
      if (turn !== this._turn) {
        return;
      }
      // The newest needs no name: a run takes it by itself.
      this._patch({ versions, version: version === versions[0]?.version ? null : version });
      const target = preview.suggestion?.target ?? preview.columns.at(-1)?.name ?? '';
      this._patch({ preview, target });
      this._suggestions.follow();
      await this.chooseTask(preview.suggestion?.task ?? (await this._firstTask()));
      this._name();
    } catch (error) {
      if (turn === this._turn) {
        this._patch({ previewTrouble: sentenceOf(error) });
      }
    }
  }

  chooseVersion(version: number): void {
    const newest = this._state.versions[0]?.version;
    this._patch({
      version: version === newest ? null : version,
      profile: null,
      types: {},
      ticks: {}
    });
    this._suggestions.follow();
  }

  async chooseTask(task: string): Promise<void> {
    if (task === this._state.task && this._state.offer) {
      return;
    }
    this._patch({ task, offer: null, include: [], modelId: '', errors: {} });
    try {
      const offer = await this._options.api.offer(task);
      if (task !== this._state.task) {
        return;
      }
      const kept = offer.plans.find(plan => plan.id === this._state.plan);
      const first = offer.plans.find(plan => plan.id === FIRST_PLAN) ?? offer.plans[0];
      this._patch({ offer, plan: (kept ?? first)?.id ?? '' });
      this._suggestions.fillTime();
      this._name();
    } catch (error) {
      if (task === this._state.task) {
        this._patch({ errors: { task: sentenceOf(error) } });
      }
    }
  }

  chooseTarget(target: string): void {
    this._suggestions.keepTarget();
    this._patch({
      target,
      errors: this._cleared('target'),
      values: this._without('merge_levels', 'positive_class')
    });
    this._name();
    this._suggestions.followTarget();
  }

  /** Give a column another type in this run. */
  setType(name: string, type: ColumnType): void {
    this._patch({
      types: { ...this._state.types, [name]: type },
      errors: this._cleared(`column ${name}`)
    });
  }

  /** Use a column, or leave it out. */
  tick(name: string, used: boolean): void {
    this._patch({
      ticks: { ...this._state.ticks, [name]: used },
      errors: this._cleared(`column ${name}`)
    });
  }

  /** Use all columns that a search shows, or none of them. */
  tickAll(used: boolean, wanted: string): void {
    const ticks = columnsOf(this._state)
      .filter(column => matches(column.name, wanted))
      .map((column): [string, boolean] => [column.name, used]);
    this._patch({ ticks: { ...this._state.ticks, ...Object.fromEntries(ticks) } });
  }

  /** Do what a notice asks for, or take that back. */
  answer(notice: INotice, accept: boolean): void {
    this._patch(answered(this._state, notice, accept));
  }

  choosePlan(plan: string): void {
    this._patch({ plan, errors: {} });
  }

  chooseModel(modelId: string): void {
    this._patch({ modelId, errors: this._cleared('model_id') });
  }

  /** Add a model by its id or its name. Says whether there is such a one. */
  addModel(word: string): boolean {
    const wanted = word.trim().toLowerCase();
    const model = availableModels(this._state).find(
      one => one.id.toLowerCase() === wanted || one.name.toLowerCase() === wanted
    );
    if (model && !this._state.include.includes(model.id)) {
      this._patch({
        include: [...this._state.include, model.id],
        errors: this._cleared('include')
      });
    }
    return model !== undefined;
  }

  removeModel(id: string): void {
    this._patch({ include: this._state.include.filter(one => one !== id) });
  }

  set(name: string, text: string): void {
    this._patch({
      values: { ...this._state.values, [name]: text },
      errors: this._cleared(name)
    });
  }

  setExperiment(experiment: string): void {
    this._named = true;
    this._patch({ experiment, errors: this._cleared('experiment') });
  }

  /**
   * Send the form. What is wrong stands in `errors`; focus goes to the first.
   */
  async submit(): Promise<void> {
    if (this._state.sending) {
      return;
    }
    const { submission, errors } = collect(this._state, this._options.trans);
    this._patch({ errors, trouble: null });
    if (submission === null) {
      return;
    }
    this._patch({ sending: true });
    try {
      const experimentId = await this._experimentId();
      const run = await this._options.api.submit(experimentId, submission);
      (this.started as Signal<this, IRunDetail>).emit(run);
    } catch (error) {
      this._refuse(error);
    } finally {
      this._patch({ sending: false });
    }
  }

  dispose(): void {
    this._turn += 1;
    this._suggestions.begin();
    Signal.clearData(this);
  }

  private async _begin(): Promise<void> {
    const { api, runId, sourceId, version } = this._options;
    if (runId) {
      const run = await api.run(runId);
      const sample = run.snapshot.sklearn_dataset;
      const source = sample ? sampleId(sample) : (run.data_source_id ?? '');
      const { data_version: used } = run.snapshot;
      await this.chooseSource(source, typeof used === 'number' ? used : null);
      if (source === '') {
        const { trans } = this._options;
        this._patch({
          dataHint: trans.__('The data of that run is not kept here. Choose the data for this one.')
        });
      }
      await this._copy(run);
      return;
    }
    if (sourceId && sampleOf(sourceId) !== null) {
      await this.chooseSource(sourceId);
      return;
    }
    const wanted = this._state.sources.find(row => row.id === sourceId) ?? this._state.sources[0];
    const same = wanted?.id === sourceId;
    await this.chooseSource(wanted?.id ?? '', same ? (version ?? null) : null);
  }

  /** A server that cannot say what the engine offers is an older one. */
  private _older(error: unknown): unknown {
    return error instanceof ResponseError && error.status === 404
      ? new Error(
          this._options.trans.__(
            'This server cannot say what its engine offers. Bring its server part up to date.'
          )
        )
      : error;
  }

  /** Fill in what another run was made from. */
  private async _copy(run: IRunDetail): Promise<void> {
    const { snapshot } = run;
    await this.chooseTask(snapshot.task);
    const { include, time_limit, ...rest } = snapshot.plan_params;
    const values: Record<string, string> = {};
    const picked: ReadonlySet<string> = new Set(PICKED);
    const given = { ...snapshot.setup_params, ...rest, ...this._options.changes };
    for (const [name, value] of Object.entries(given)) {
      // The columns of a sample are not known: there these are parameters like others.
      if (snapshot.sklearn_dataset || !picked.has(name)) {
        values[name] = textOf(value);
      }
    }
    if (typeof time_limit === 'number') {
      values.time_limit = String(time_limit / MINUTE);
    }
    const experiment = this._state.experiments.find(row => row.id === run.experiment_id);
    this._named = experiment !== undefined;
    this._suggestions.keepAll();
    this._patch({
      ...pickedFrom(snapshot.setup_params),
      target: snapshot.target ?? '',
      plan: snapshot.plan,
      modelId: snapshot.model_id ?? '',
      include: Array.isArray(include) ? (include as string[]) : [],
      values,
      ...(experiment ? { experiment: experiment.name } : {})
    });
    this._suggestions.followTarget();
  }

  private async _firstTask(): Promise<string> {
    await this._tasks;
    const { task, tasks } = this._state;
    return task || (tasks.find(one => one.is_available)?.id ?? '');
  }

  /** A name from data and target, until somebody has given another one. */
  private _name(): void {
    const name = this._named ? null : experimentName(this._state);
    if (name !== null) {
      this._patch({ experiment: name });
    }
  }

  /** The experiment of that name where it is about the same, else a new one. */
  private async _experimentId(): Promise<string> {
    const { experiments, experiment, task, target, sourceId } = this._state;
    const name = experiment.trim();
    const known = experiments.find(row => row.name === name && fits(this._state, row));
    if (known) {
      return known.id;
    }
    const made = await this._options.api.createExperiment(this._options.projectId, {
      name,
      task,
      target: takesTarget(this._state) ? target : null,
      data_source_id: sampleOf(sourceId) === null ? sourceId : null
    });
    this._patch({ experiments: [made, ...experiments] });
    return made.id;
  }

  private _refuse(error: unknown): void {
    const errors = faultsOf(this._state, error);
    const placed = Object.keys(errors).length > 0;
    this._patch({ errors, trouble: placed ? null : refusalOf(error, this._options.trans) });
  }

  private _without(...names: string[]): Readonly<Record<string, string>> {
    return Object.fromEntries(
      Object.entries(this._state.values).filter(([name]) => !names.includes(name))
    );
  }

  private _cleared(field: FieldName): Readonly<Record<FieldName, string>> {
    return Object.fromEntries(
      Object.entries(this._state.errors).filter(([name]) => name !== field)
    );
  }

  private _patch(patch: Partial<IFormState>): void {
    this._state = { ...this._state, ...patch };
    (this.changed as Signal<this, void>).emit();
  }

  private _state: IFormState = EMPTY_FORM;
  /** counts previews; only the last one may change the state */
  private _turn = 0;
  private _tasks: Promise<void> = Promise.resolve();
  private _named = false;
  private readonly _suggestions: Suggestions;
}

/** Nothing is known of the data yet. */
const NO_DATA: Pick<
  IFormState,
  'preview' | 'previewTrouble' | 'profile' | 'reading' | 'ticks' | 'types' | 'versions'
> = {
  preview: null,
  previewTrouble: null,
  profile: null,
  reading: false,
  ticks: {},
  types: {},
  versions: []
};

export namespace NewRunModel {
  export interface IOptions {
    readonly api: ITrainingApi;
    readonly trans: TranslationBundle;
    readonly workspaceId: string;
    readonly projectId: string;
    /** the data to begin with: a data source, or a sample */
    readonly sourceId?: string | null;
    /** the version of that data source; the newest where none is named */
    readonly version?: number | null;
    /** a run to begin with what it was made from */
    readonly runId?: string | null;
    readonly changes?: Readonly<Record<string, unknown>>;
  }
}

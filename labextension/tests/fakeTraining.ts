import { ResponseError } from '../src/api/errors';
import type { IProfile, IProfileQuery, IVersion } from '../src/api/data';
import type { IOffer, IParam, IPreview, ITask } from '../src/api/engine';
import type { IDataSource, IExperiment, IPage, IRunDetail } from '../src/api/rows';
import type { INewExperiment, ISubmission, ITrainingApi } from '../src/api/training';
import { experiment as experimentOf, run, source } from './fakeApi';

export const param = (name: string, schema: IParam['schema'], value: unknown = null): IParam => ({
  name,
  schema,
  default: value,
  description: name
});

export const FOLD = param('fold', { type: 'integer' }, 10);
export const LIMIT = param('time_limit', { type: ['number', 'null'] });
export const SORT = param('sort', { type: ['string', 'null'] });
export const INCLUDE = param('include', { type: ['array', 'null'], items: { type: 'string' } });

export const OFFER: IOffer = {
  plans: [
    {
      id: 'setup',
      name: 'Set up',
      description: '',
      needs_model: false,
      takes_model_params: false,
      params: []
    },
    {
      id: 'create',
      name: 'Create',
      description: '',
      needs_model: true,
      takes_model_params: false,
      params: [LIMIT]
    },
    {
      id: 'compare',
      name: 'Compare',
      description: '',
      needs_model: false,
      takes_model_params: false,
      params: [INCLUDE, SORT, LIMIT]
    }
  ],
  models: [
    {
      id: 'lr',
      name: 'Logistic Regression',
      is_available: true,
      extra: null,
      turbo: true,
      params: []
    },
    { id: 'xgb', name: 'XGBoost', is_available: false, extra: 'boost', turbo: true, params: [] }
  ],
  metrics: [{ id: 'Accuracy', name: 'Accuracy', greater_is_better: true }],
  setupParams: [
    FOLD,
    param('column_types', { type: 'object' }, {}),
    param('ignore_features', { type: 'array', items: { type: 'string' } }, []),
    param('keep_features', { type: 'array', items: { type: 'string' } }, []),
    param('merge_levels', { type: 'boolean' }, false)
  ]
};

/** What a series takes beside a fold. */
export const SERIES: IOffer = { ...OFFER, setupParams: [FOLD, param('index', { type: 'string' })] };

export const task = (id: string): ITask => ({
  id,
  name: id,
  is_available: true,
  extra: null,
  default_metric: null,
  target: id === 'clustering' ? 'refused' : 'required',
  answers: id === 'clustering' ? 'clusters' : 'labels',
  rows_are_steps: false,
  sample_sets: id === 'classification' ? ['iris'] : []
});

export const column = (name: string): IPreview['columns'][number] => ({
  name,
  dtype: 'string',
  missing: 0,
  distinct: 2,
  examined: 3
});

/** What a form for a new run asks, in memory. */
export class FakeTraining implements ITrainingApi {
  data: IDataSource[] = [source('juice.csv')];
  known: IExperiment[] = [];
  made: INewExperiment[] = [];
  sent: ISubmission[] = [];
  refusal: Error | null = null;
  failure: Error | null = null;
  example: IRunDetail | null = null;
  /** the profile, and the one with a target where that says more; null: this server has none */
  whole: IProfile | null = null;
  related: IProfile | null = null;
  all: IVersion[] = [];
  readonly asked: IProfileQuery[] = [];

  sources(): Promise<IPage<IDataSource>> {
    return this.failure
      ? Promise.reject(this.failure)
      : Promise.resolve({ rows: this.data, more: false });
  }

  preview(): Promise<IPreview> {
    return Promise.resolve({
      columns: [column('Id'), column('Purchase')],
      rows: [],
      total_rows: 3,
      examined_rows: 3,
      suggestion: { target: 'Purchase', task: 'classification', reason: 'It holds 2 labels.' }
    });
  }

  profile(_: string, query: IProfileQuery): Promise<IProfile> {
    this.asked.push(query);
    const profile = query.target ? (this.related ?? this.whole) : this.whole;
    return profile
      ? Promise.resolve(profile)
      : Promise.reject(new ResponseError(404, 'not in this fake'));
  }

  versions(): Promise<ReadonlyArray<IVersion>> {
    return Promise.resolve(this.all);
  }

  tasks(): Promise<ITask[]> {
    return Promise.resolve([task('classification'), task('clustering'), task('time_series')]);
  }

  offer(id: string): Promise<IOffer> {
    return Promise.resolve(
      id === 'clustering' ? { ...OFFER, setupParams: [] } : id === 'time_series' ? SERIES : OFFER
    );
  }

  experiments(): Promise<IPage<IExperiment>> {
    return Promise.resolve({ rows: this.known, more: false });
  }

  createExperiment(_: string, experiment: INewExperiment): Promise<IExperiment> {
    this.made.push(experiment);
    return Promise.resolve(
      experimentOf('made', {
        ...experiment,
        target: experiment.target ?? null
      })
    );
  }

  submit(experimentId: string, submission: ISubmission): Promise<IRunDetail> {
    if (this.refusal) {
      return Promise.reject(this.refusal);
    }
    this.sent.push(submission);
    return Promise.resolve({ ...run('r1'), experiment_id: experimentId } as IRunDetail);
  }

  run(): Promise<IRunDetail> {
    return this.example ? Promise.resolve(this.example) : Promise.reject(new Error('none'));
  }
}

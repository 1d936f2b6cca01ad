import type { ColumnType, IProfile, IVersion } from '../api/data';
import type { IModelInfo, IOffer, IParam, IPlan, IPreview, ITask } from '../api/engine';
import type { IDataSource, IExperiment } from '../api/rows';
import { rankingParam } from './params';

/** A field that can be wrong; a parameter is named by its own name. */
export type FieldName = string;

export interface IFormState {
  readonly phase: 'loading' | 'ready' | 'trouble';
  /** why there is no form, or why it was not sent */
  readonly trouble: string | null;
  readonly sources: ReadonlyArray<IDataSource>;
  readonly sourceId: string;
  /** why the data of the run that is done again is not filled in */
  readonly dataHint: string | null;
  readonly preview: IPreview | null;
  readonly previewTrouble: string | null;
  /** of the chosen data, newest first; none for a connector or a sample */
  readonly versions: ReadonlyArray<IVersion>;
  /** the version to train on; null for the newest */
  readonly version: number | null;
  /** of all rows, with what was noticed about the target; null until it is made, and where there is none */
  readonly profile: IProfile | null;
  /** whether the profile is being made */
  readonly reading: boolean;
  /** types that were chosen here, by column */
  readonly types: Readonly<Record<string, ColumnType>>;
  /** columns that were ticked or unticked here */
  readonly ticks: Readonly<Record<string, boolean>>;
  readonly tasks: ReadonlyArray<ITask>;
  readonly task: string;
  /** null while it is asked for */
  readonly offer: IOffer | null;
  readonly target: string;
  readonly plan: string;
  /** the one model of a plan that needs one */
  readonly modelId: string;
  /** the models that a plan is narrowed to; all where empty */
  readonly include: ReadonlyArray<string>;
  /** text of each parameter that was touched, by name */
  readonly values: Readonly<Record<string, string>>;
  readonly experiment: string;
  readonly experiments: ReadonlyArray<IExperiment>;
  readonly errors: Readonly<Record<FieldName, string>>;
  readonly sending: boolean;
}

export const EMPTY_FORM: IFormState = {
  phase: 'loading',
  trouble: null,
  sources: [],
  sourceId: '',
  dataHint: null,
  preview: null,
  previewTrouble: null,
  versions: [],
  version: null,
  profile: null,
  reading: false,
  types: {},
  ticks: {},
  tasks: [],
  task: '',
  offer: null,
  target: '',
  plan: '',
  modelId: '',
  include: [],
  values: {},
  experiment: '',
  experiments: [],
  errors: {},
  sending: false
};

/** Whether the chosen task predicts a column; true until the tasks are known. */
export function takesTarget({ tasks, task }: Pick<IFormState, 'tasks' | 'task'>): boolean {
  return tasks.find(one => one.id === task)?.target !== 'refused';
}

export function planOf({ offer, plan }: IFormState): IPlan | null {
  return offer?.plans.find(one => one.id === plan) ?? null;
}

export function availableModels({ offer }: IFormState): ReadonlyArray<IModelInfo> {
  return offer?.models.filter(model => model.is_available) ?? [];
}

/** The models that a plan tries when it is given none. */
export function triedModels(state: IFormState): number {
  if (state.include.length > 0) {
    return state.include.length;
  }
  return availableModels(state).filter(model => model.turbo).length;
}

export function planParam(state: IFormState, name: string): IParam | null {
  return planOf(state)?.params.find(param => param.name === name) ?? null;
}

/** A set-up parameter, with the default that it has in the chosen plan. */
export function setupParam(state: IFormState, name: string): IParam | null {
  const found = state.offer?.setupParams.find(param => param.name === name) ?? null;
  const own = planOf(state)?.default_setup?.[name];
  return found === null || own === undefined ? found : { ...found, default: own };
}

/** Every parameter that the form shows for the chosen plan. */
export function shownParams(state: IFormState): ReadonlyArray<IParam> {
  const plan = planOf(state);
  const ranking = rankingParam(plan);
  return [
    ...(state.offer?.setupParams ?? []),
    ...(plan?.params.filter(param => param !== ranking) ?? []),
    ...(ranking ? [ranking] : [])
  ];
}

/** The metric that ranks where none is chosen. */
export function defaultMetric({ tasks, task, offer }: IFormState): string {
  return tasks.find(one => one.id === task)?.default_metric ?? offer?.metrics[0]?.id ?? '';
}

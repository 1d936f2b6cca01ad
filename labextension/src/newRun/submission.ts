import type { TranslationBundle } from '@jupyterlab/translation';
import { ResponseError, sentenceOf } from '../api/errors';
import type { IParam } from '../api/engine';
import type { ISubmission } from '../api/training';
import { columnNames, columnsOf, hasPicker, pickedParams } from './columns';
import { parse, PICKED } from './params';
import { sampleOf } from './samples';
import {
  type FieldName,
  type IFormState,
  planOf,
  planParam,
  shownParams,
  takesTarget
} from './state';

/** s in a minute: the form takes a time limit in minutes */
export const MINUTE = 60;

export interface ICollected {
  /** null where something is wrong */
  readonly submission: ISubmission | null;
  readonly errors: Readonly<Record<FieldName, string>>;
}

/**
 * What the form stands for, or what is wrong with it, by field.
 */
export function collect(state: IFormState, trans: TranslationBundle): ICollected {
  const plan = planOf(state);
  const errors: Record<string, string> = {};
  if (state.sourceId === '') {
    errors.data_source_id = trans.__('Choose the data. Upload it first where there is none.');
  }
  const sample = sampleOf(state.sourceId);
  const target = takesTarget(state) ? state.target : '';
  if (takesTarget(state) && target === '') {
    errors.target = trans.__('Choose the column to predict.');
  }
  if (plan?.needs_model && state.modelId === '') {
    errors.model_id = trans.__('Choose a model.');
  }
  if (state.experiment.trim() === '') {
    errors.experiment = trans.__('Give the experiment a name.');
  }
  const picks = hasPicker(state);
  const named: ReadonlySet<string> = new Set(picks ? PICKED : []);
  const asked = (state.offer?.setupParams ?? []).filter(param => !named.has(param.name));
  const setup = {
    ...valuesOf(state, asked, errors, trans),
    ...(picks ? pickedParams(state) : {})
  };
  const params = valuesOf(
    state,
    (plan?.params ?? []).filter(param => param.name !== 'include'),
    errors,
    trans
  );
  if (typeof params.time_limit === 'number') {
    params.time_limit *= MINUTE;
  }
  if (state.include.length > 0 && planParam(state, 'include')) {
    params.include = state.include;
  }
  if (plan === null || Object.keys(errors).length > 0) {
    return { submission: null, errors };
  }
  return {
    submission: {
      plan: plan.id,
      ...(sample === null
        ? { data_source_id: state.sourceId, ...versionOf(state) }
        : { sklearn_dataset: sample }),
      ...(plan.needs_model ? { model_id: state.modelId } : {}),
      ...(target ? { target } : {}),
      plan_params: params,
      setup_params: setup
    },
    errors
  };
}

/** The version, where it is not the newest. */
function versionOf({ version }: IFormState): Pick<ISubmission, 'data_version'> {
  return version === null ? {} : { data_version: version };
}

function valuesOf(
  state: IFormState,
  params: ReadonlyArray<IParam>,
  errors: Record<string, string>,
  trans: TranslationBundle
): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const param of params) {
    const text = state.values[param.name];
    if (text === undefined) {
      continue;
    }
    const parsed = parse(param, text);
    if (parsed.fault === 'number') {
      errors[param.name] = trans.__('This is not a number.');
    } else if (parsed.fault === 'whole') {
      errors[param.name] = trans.__('Only whole numbers are taken.');
    } else if (parsed.fault === 'json') {
      errors[param.name] = trans.__('This is not JSON.');
    } else if (parsed.value !== undefined) {
      found[param.name] = parsed.value;
    }
  }
  return found;
}

const FIELDS: ReadonlySet<string> = new Set([
  'data_source_id',
  'task',
  'target',
  'plan',
  'model_id',
  'include',
  'experiment'
]);

/** What the server found, by field; what belongs to none is left out. */
export function faultsOf(state: IFormState, error: unknown): Readonly<Record<FieldName, string>> {
  const errors: Record<string, string> = {};
  if (error instanceof ResponseError) {
    const own = new Set(shownParams(state).map(param => param.name));
    for (const { loc, msg } of error.errors) {
      const words = loc.filter((step): step is string => typeof step === 'string');
      const picked = PICKED.find(name => words.includes(name));
      if (picked && hasPicker(state)) {
        // Said at the column that it is about, or at the first one.
        const column = words.find(word => columnNames(state).includes(word));
        errors[`column ${column ?? columnsOf(state)[0]?.name ?? ''}`] = msg;
        continue;
      }
      const last = words[words.length - 1] ?? '';
      const field = last === 'name' ? 'experiment' : last;
      if (own.has(field) || FIELDS.has(field)) {
        errors[field] = msg;
      }
    }
    if (error.status === 409) {
      errors.experiment = sentenceOf(error);
    }
  }
  return errors;
}

import type { TranslationBundle } from '@jupyterlab/translation';
import type { INotice } from '../api/data';
import { labelOf } from '../common/format';
import { columnsOf, targetColumn } from './columns';
import { twinsOf } from './labels';
import { textOf } from './params';
import { type IFormState, setupParam } from './state';

/** Where in the form a notice stands. */
export type Place = 'target' | 'columns' | 'validation';

/** A notice with what its button would do and whether that is done. */
export interface IAsked {
  readonly notice: INotice;
  readonly place: Place;
  /** what the button reads, and its whole name */
  readonly word: string;
  readonly name: string;
  /** the same of taking it back */
  readonly undoName: string;
  /** what is said once it is done */
  readonly done: string;
  readonly isDone: boolean;
  /** false where the engine does not take these parameters for the task: then there is no button */
  readonly isOffered: boolean;
}

const COLUMN_LISTS = new Set(['ignore_features', 'keep_features']);

/** What was noticed and changes the result, each at its field. */
export function askedOf(state: IFormState, trans: TranslationBundle): ReadonlyArray<IAsked> {
  const notices = state.profile?.notices ?? [];
  const merges = notices.some(notice => notice.setup_params?.merge_levels === true);
  const own = merges ? null : labelNotice(state, trans);
  return [...(own ? [own] : []), ...notices]
    .filter(notice => isAbout(state, notice))
    .map(notice => asked(state, notice, trans));
}

/** Whether a notice is about columns that the form lets somebody choose: a time column is none of them. */
function isAbout(state: IFormState, { setup_params: params }: INotice): boolean {
  const lists = Object.entries(params ?? {}).filter(([name]) => COLUMN_LISTS.has(name));
  const names = new Set(columnsOf(state).map(column => column.name));
  return lists.every(
    ([, value]) => Array.isArray(value) && value.every(one => names.has(String(one)))
  );
}

/** Labels that differ by case or blanks only, where the server has not said it. */
function labelNotice(state: IFormState, trans: TranslationBundle): INotice | null {
  const [twins] = twinsOf(targetColumn(state)?.top ?? []);
  if (!twins || !isLabelled(state)) {
    return null;
  }
  const [other = ''] = twins.others;
  const blanks = other.trim() !== other || twins.kept.trim() !== twins.kept;
  return {
    code: 'labels_differ_by_case',
    column: state.target,
    message: blanks
      ? trans.__(
          '“%1” and “%2” differ by blanks only. As they stand they are two labels.',
          twins.kept,
          other
        )
      : trans.__(
          '“%1” and “%2” differ by case only. As they stand they are two labels.',
          twins.kept,
          other
        ),
    setup_params: { merge_levels: true }
  };
}

/** Whether the task predicts labels. */
export function isLabelled({ tasks, task }: IFormState): boolean {
  return tasks.find(one => one.id === task)?.answers === 'labels';
}

function asked(state: IFormState, notice: INotice, trans: TranslationBundle): IAsked {
  const params = notice.setup_params ?? {};
  const names = Object.keys(params);
  const isOffered = names.length > 0 && names.every(name => setupParam(state, name) !== null);
  const isDone = isOffered && names.every(name => isSet(state, name, params[name]));
  const base = { notice, isOffered, isDone };
  if (params.merge_levels === true) {
    return {
      ...base,
      place: 'target',
      word: trans.__('Treat as one'),
      name: trans.__('Treat as one'),
      undoName: trans.__('Undo treating labels as one'),
      done: mergedWords(state, trans)
    };
  }
  const left = Array.isArray(params.ignore_features) ? params.ignore_features.map(String) : [];
  if (left.length > 0) {
    const columns = left.join(', ');
    return {
      ...base,
      place: 'columns',
      word: trans.__('Leave out'),
      name: trans.__('Leave out %1', columns),
      undoName: trans.__('Undo leaving out %1', columns),
      done: trans.__('%1 is left out.', columns)
    };
  }
  const isGroup = names.some(name => name.includes('group'));
  const labels = names.map(labelOf).join(', ');
  const word = isGroup
    ? trans.__('Keep groups together')
    : names.includes('fold_time')
      ? trans.__('Split by time')
      : trans.__('Set %1', labels);
  const ofColumns = names.some(name => COLUMN_LISTS.has(name) || name === 'column_types');
  return {
    ...base,
    place: names.length === 0 || ofColumns ? 'columns' : 'validation',
    word,
    name: word,
    undoName: trans.__('Undo %1', labels),
    done: trans.__('%1 is set.', labels)
  };
}

/** Whether the form says already what a notice would set. */
function isSet(state: IFormState, name: string, value: unknown): boolean {
  if (COLUMN_LISTS.has(name) && Array.isArray(value)) {
    const wanted = name === 'keep_features';
    const columns = new Map(columnsOf(state).map(column => [column.name, column.isUsed]));
    return value.every(column => (columns.get(String(column)) ?? wanted) === wanted);
  }
  if (name === 'column_types' && typeof value === 'object' && value !== null) {
    const types = new Map(columnsOf(state).map(column => [column.name, column.type]));
    return Object.entries(value).every(([column, type]) => types.get(column) === type);
  }
  return state.values[name] === textOf(value);
}

/** What the form is, with what a notice sets, or without it. */
export function answered(
  state: IFormState,
  notice: INotice,
  accept: boolean
): Pick<IFormState, 'ticks' | 'types' | 'values'> {
  const ticks = new Map(Object.entries(state.ticks));
  const types = new Map(Object.entries(state.types));
  const values = new Map(Object.entries(state.values));
  const set = <T>(map: Map<string, T>, key: string, value: T): void => {
    if (accept) {
      map.set(key, value);
    } else {
      map.delete(key);
    }
  };
  for (const [name, value] of Object.entries(notice.setup_params ?? {})) {
    if (COLUMN_LISTS.has(name) && Array.isArray(value)) {
      value.forEach(column => set(ticks, String(column), name === 'keep_features'));
    } else if (name === 'column_types' && typeof value === 'object' && value !== null) {
      Object.entries(value).forEach(([column, type]) => set(types, column, String(type)));
    } else {
      set(values, name, textOf(value));
    }
  }
  return {
    ticks: Object.fromEntries(ticks),
    types: Object.fromEntries(types),
    values: Object.fromEntries(values)
  };
}

/** `yes counts as Yes in 26 rows.` */
function mergedWords(state: IFormState, trans: TranslationBundle): string {
  const twins = twinsOf(targetColumn(state)?.top ?? []);
  return twins.length === 0
    ? trans.__('Labels that differ by case or blanks count as one.')
    : twins
        .map(({ kept, others, rows }) =>
          trans._n(
            '%3 counts as %4 in %2 row.',
            '%3 counts as %4 in %2 rows.',
            rows,
            String(rows),
            others.map(other => (other.trim() === other ? other : `“${other}”`)).join(', '),
            kept
          )
        )
        .join(' ');
}

import type { ColumnType, IProfileColumn } from '../api/data';
import { detectedType, LEFT_OUT } from '../common/columns';
import { PICKED } from './params';
import { type IFormState, setupParam, takesTarget } from './state';

/** A column as the picker shows it. */
export interface IFormColumn {
  readonly name: string;
  /** the type that the run will use */
  readonly type: ColumnType;
  /** what was detected; null where the server does not say */
  readonly detected: ColumnType | null;
  /** whether a person has changed the type, here or on the data page */
  readonly isChanged: boolean;
  readonly isUsed: boolean;
  /** cells that could not be read; 0 as long as not all rows are */
  readonly unreadable: number;
}

interface IKnown {
  readonly name: string;
  readonly detected: ColumnType | null;
  readonly found: ColumnType;
  readonly unreadable: number;
}

/** The columns of the data: from the profile, or from the preview as long as there is none. */
function knownColumns({ profile, preview }: IFormState): ReadonlyArray<IKnown> {
  if (profile?.columns) {
    return profile.columns.map(column => ({
      name: column.name,
      detected: detectedType(column),
      found: column.type,
      unreadable: column.unreadable.count
    }));
  }
  return (preview?.columns ?? []).map(column => {
    const found = column.type ?? TYPE_OF[column.dtype] ?? 'category';
    return { name: column.name, detected: found, found, unreadable: 0 };
  });
}

/** Types of columns whose first rows alone were seen, by an older server. */
const TYPE_OF: Readonly<Record<string, ColumnType>> = {
  integer: 'number',
  number: 'number',
  boolean: 'boolean',
  datetime: 'date'
};

/** Names of all columns, in the order of the file. */
export function columnNames(state: IFormState): ReadonlyArray<string> {
  return knownColumns(state).map(column => column.name);
}

/** The columns that a model may learn from, with their types and whether they are used. */
export function columnsOf(state: IFormState): ReadonlyArray<IFormColumn> {
  const stored = state.sources.find(row => row.id === state.sourceId)?.types ?? {};
  const target = takesTarget(state) ? state.target : null;
  const index = setupParam(state, 'index') ? state.values.index : undefined;
  return knownColumns(state)
    .filter(({ name }) => name !== target && name !== index)
    .map(({ name, detected, found, unreadable }) => {
      const set = state.types[name] ?? stored[name];
      const type = set ?? detected ?? found;
      return {
        name,
        type,
        detected,
        isChanged: set !== undefined && set !== detected,
        isUsed: state.ticks[name] ?? !LEFT_OUT.has(type),
        unreadable
      };
    });
}

/** What the picker stands for, of what the engine takes for the task. */
export function pickedParams(state: IFormState): Readonly<Record<string, unknown>> {
  const stored = state.sources.find(row => row.id === state.sourceId)?.types ?? {};
  const columns = columnsOf(state);
  const types: Record<string, ColumnType> = {};
  const ignored: string[] = [];
  const kept: string[] = [];
  for (const { name, type, isChanged, isUsed } of columns) {
    const isLeftOut = LEFT_OUT.has(type);
    if (isUsed) {
      // A type of the data page that was taken back here is said as well.
      if (isChanged || (state.types[name] !== undefined && stored[name] !== undefined)) {
        types[name] = type;
      }
      if (isLeftOut) {
        kept.push(name);
      }
    } else if (!isLeftOut) {
      // Named once: a column that is left out has no type.
      ignored.push(name);
    } else if (isChanged) {
      types[name] = type;
    }
  }
  const target = takesTarget(state) ? state.types[state.target] : undefined;
  if (target !== undefined) {
    types[state.target] = target;
  }
  const params: Readonly<Record<(typeof PICKED)[number], unknown>> = {
    column_types: Object.keys(types).length > 0 ? types : null,
    ignore_features: ignored.length > 0 ? ignored : null,
    keep_features: kept.length > 0 ? kept : null
  };
  return Object.fromEntries(
    Object.entries(params).filter(([name, value]) => value !== null && setupParam(state, name))
  );
}

/** Whether the engine takes columns and types for the task, and there are columns beside the target. */
export function hasPicker(state: IFormState): boolean {
  return columnsOf(state).length > 0 && PICKED.some(name => setupParam(state, name) !== null);
}

/** What a run was told of its columns, as the picker has it. */
export function pickedFrom(
  params: Readonly<Record<string, unknown>>
): Pick<IFormState, 'types' | 'ticks'> {
  const named = (name: string): string[] => {
    const value = params[name];
    return Array.isArray(value) ? value.filter(one => typeof one === 'string') : [];
  };
  const types = params.column_types;
  return {
    types:
      typeof types === 'object' && types !== null && !Array.isArray(types)
        ? (types as Readonly<Record<string, ColumnType>>)
        : {},
    ticks: {
      ...Object.fromEntries(named('ignore_features').map(name => [name, false])),
      ...Object.fromEntries(named('keep_features').map(name => [name, true]))
    }
  };
}

/** The profile of the target; null as long as not all rows are read. */
export function targetColumn({ profile, target }: IFormState): IProfileColumn | null {
  return profile?.columns?.find(column => column.name === target) ?? null;
}

/** The only column of dates: the times of a series. */
export function timeColumn(state: IFormState): string | null {
  const suggested = state.profile?.suggestion?.index;
  if (suggested) {
    return suggested;
  }
  const dates = state.profile?.columns
    ? state.profile.columns.filter(column => column.type === 'date')
    : (state.preview?.columns ?? []).filter(column => column.dtype === 'datetime');
  return dates.length === 1 ? (dates[0]?.name ?? null) : null;
}

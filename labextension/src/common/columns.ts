import type { ColumnType, IProfileColumn } from '../api/data';
import type { IDataSource } from '../api/rows';

/** The types that a column can be given. An order of levels is a setting of its own; the rest is only found. */
export const TYPES: ReadonlyArray<ColumnType> = [
  'number',
  'boolean',
  'category',
  'text',
  'date',
  'duration',
  'identifier'
];

/** Types that are left out of training until a person says otherwise. */
export const LEFT_OUT: ReadonlySet<ColumnType> = new Set(['identifier', 'constant', 'empty']);

type ITyped = Pick<IProfileColumn, 'type' | 'set_by_person' | 'detected_type'>;

/** What was detected, whatever a person has set since; null where the server does not say. */
export function detectedType(column: ITyped): ColumnType | null {
  return column.detected_type ?? (column.set_by_person ? null : column.type);
}

/** The type that is in force: a profile may be older than what a person has set. */
export function typeOf(
  column: ITyped & Pick<IProfileColumn, 'name'>,
  types: IDataSource['types'] | undefined
): ColumnType {
  return types?.[column.name] ?? detectedType(column) ?? column.type;
}

/** Whether a person has given a column another type than the detected one. */
export function isChanged(
  column: ITyped & Pick<IProfileColumn, 'name'>,
  types: IDataSource['types'] | undefined
): boolean {
  const set = types?.[column.name];
  return set !== undefined && set !== detectedType(column);
}

/** What a picker offers for a column: the type in force and the detected one, then the others. */
export function typesFor(...known: ReadonlyArray<ColumnType | null>): ReadonlyArray<ColumnType> {
  return [...new Set([...known.filter(type => type !== null), ...TYPES])];
}

/** Whether a text is in a name, in any case. */
export function matches(name: string, wanted: string): boolean {
  return name.toLowerCase().includes(wanted.trim().toLowerCase());
}

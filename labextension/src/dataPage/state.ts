import type { IProfile, IProfileColumn, IReadingProgress, IVersion } from '../api/data';
import type { IDataSource } from '../api/rows';
import { isChanged, LEFT_OUT, typeOf } from '../common/columns';
import { type ILine, ON_LINE } from '../common/line';
import type { ViewPhase } from '../common/phase';

export interface ISending {
  readonly filename: string;
  readonly sent: number;
  readonly total: number;
}

export interface IDataState extends ILine {
  readonly phase: ViewPhase;
  readonly trouble: string | null;
  readonly source: IDataSource | null;
  /** false for a viewer: reads, and has no actions */
  readonly mayWrite: boolean;
  /** newest first; none for a connector */
  readonly versions: ReadonlyArray<IVersion>;
  /** the version on display; null for a connector */
  readonly version: number | null;
  /** the profile on display; it stays while a newer one is made */
  readonly profile: IProfile | null;
  /** how far a profile is that is being made; null where none is */
  readonly reading: IReadingProgress | null;
  /** whether the columns are being compared with the target */
  readonly comparing: boolean;
  /** why there is no profile */
  readonly failure: string | null;
  /** the column that the others are compared with; '' for none */
  readonly target: string;
  /** a new version on its way */
  readonly sending: ISending | null;
  /** an action that did not work, in one sentence */
  readonly notice: string | null;
}

export const NO_DATA: IDataState = {
  phase: 'loading',
  trouble: null,
  source: null,
  mayWrite: false,
  versions: [],
  version: null,
  profile: null,
  reading: null,
  comparing: false,
  failure: null,
  target: '',
  sending: null,
  notice: null,
  ...ON_LINE
};

/** Whether the table lives elsewhere and is read anew each time. */
export function isConnector(source: IDataSource): boolean {
  return source.kind === 's3' || source.kind === 'postgres';
}

/** Whether the file is a workbook: its sheets take the place of encoding and separators. */
export function isWorkbook(source: Pick<IDataSource, 'kind'>): boolean {
  return source.kind === 'excel_upload';
}

/** The version on display. */
export function shownVersion({ versions, version }: IDataState): IVersion | null {
  return versions.find(one => one.version === version) ?? null;
}

export function newestVersion({ versions, source }: IDataState): number | null {
  return versions[0]?.version ?? source?.version ?? null;
}

/** The columns whose type a person has changed. */
export function changedColumns({ profile, source }: IDataState): ReadonlyArray<string> {
  return (profile?.columns ?? [])
    .filter(column => isChanged(column, source?.types))
    .map(column => column.name);
}

/** Whether a column says nothing about others, or nothing can be said about it. */
export function isComparable(
  column: IProfileColumn,
  types: IDataSource['types'] | undefined
): boolean {
  const type = typeOf(column, types);
  return !LEFT_OUT.has(type) && type !== 'text' && type !== 'date';
}

import type {
  IDataApi,
  IProfile,
  IProfileColumn,
  IProfileQuery,
  ISourcePatch,
  IVersion
} from '../src/api/data';
import type { IDataSource } from '../src/api/rows';
import type { IUploadOptions } from '../src/api/upload';
import { source } from './fakeApi';

export const column = (name: string, patch: Partial<IProfileColumn> = {}): IProfileColumn => ({
  name,
  type: 'number',
  dtype: 'number',
  format: null,
  values: 10,
  missing: 0,
  missing_words: {},
  unreadable: { count: 0, examples: [] },
  distinct: 5,
  min: 1,
  max: 9.5,
  mean: 4,
  std: 1,
  quantiles: { '0.05': 1, '0.5': 4, '0.95': 9 },
  histogram: { edges: [1, 5, 9.5], counts: [7, 3] },
  top: [],
  hints: [],
  association: null,
  recognised_as: 'numbers',
  set_by_person: null,
  alternatives: [],
  ...patch
});

export const category = (
  name: string,
  levels: Readonly<Record<string, number>>,
  patch: Partial<IProfileColumn> = {}
): IProfileColumn =>
  column(name, {
    type: 'category',
    dtype: 'string',
    min: null,
    max: null,
    mean: null,
    quantiles: {},
    histogram: null,
    distinct: Object.keys(levels).length,
    top: Object.entries(levels).map(([value, count]) => ({ value, count })),
    ...patch
  });

export const profileOf = (
  columns: ReadonlyArray<IProfileColumn>,
  patch: Partial<IProfile> = {}
): IProfile => ({
  status: 'ready',
  version: 1,
  rows: 10,
  duplicates: 0,
  dialect: { encoding: 'cp1252', delimiter: ';', decimal: ',', header: true, skip_rows: 2 },
  columns,
  reported: [],
  notices: [],
  suggestion: null,
  ...patch
});

export const version = (number: number, patch: Partial<IVersion> = {}): IVersion => ({
  id: `version-${number}`,
  version: number,
  kind: 'csv_upload',
  created_at: '2024-11-23T12:00:00Z',
  updated_at: '2024-11-23T12:00:00Z',
  created_by: null,
  sha256: '',
  encoding: null,
  delimiter: null,
  types_final: true,
  filename: 'juice.csv',
  size_bytes: 100,
  rows: 10,
  columns: [],
  dialect: null,
  changes: null,
  ...patch
});

/** A server with one data source. */
export class FakeData implements IDataApi {
  row: IDataSource = source('juice.csv');
  all: IVersion[] = [version(1)];
  /** what is answered to each look at a profile, the last one again and again */
  profiles: IProfile[] = [profileOf([column('Price')])];
  mayWrite = true;
  refusal: Error | null = null;
  readonly calls: string[] = [];
  readonly patches: ISourcePatch[] = [];

  mayWriteIn(): Promise<boolean> {
    return Promise.resolve(this.mayWrite);
  }

  source(): Promise<IDataSource> {
    return Promise.resolve(this.row);
  }

  versions(): Promise<ReadonlyArray<IVersion>> {
    return Promise.resolve(this.all);
  }

  profile(_: string, { version: number, target }: IProfileQuery): Promise<IProfile> {
    this.calls.push(`profile ${number ?? '-'} ${target ?? '-'}`);
    const next = this.profiles.length > 1 ? this.profiles.shift() : this.profiles[0];
    return next ? Promise.resolve(next) : Promise.reject(new Error('no profile'));
  }

  makeProfile(): Promise<IProfile> {
    this.calls.push('make');
    return this.refusal ? Promise.reject(this.refusal) : Promise.resolve({ status: 'pending' });
  }

  patch(_: string, patch: ISourcePatch): Promise<IDataSource> {
    if (this.refusal) {
      return Promise.reject(this.refusal);
    }
    this.patches.push(patch);
    if (patch.types !== undefined) {
      const merged = patch.types === null ? {} : { ...this.row.types, ...patch.types };
      const types = Object.entries(merged).filter((one): one is [string, string] => !!one[1]);
      this.row = { ...this.row, types: Object.fromEntries(types) };
    }
    if (patch.dialect) {
      this._add({ dialect: patch.dialect });
    }
    return Promise.resolve(this.row);
  }

  uploadVersion(_: string, { file }: IUploadOptions): Promise<IDataSource> {
    if (this.refusal) {
      return Promise.reject(this.refusal);
    }
    this._add({ filename: file.name });
    return Promise.resolve(this.row);
  }

  download(): Promise<Blob> {
    return this.refusal ? Promise.reject(this.refusal) : Promise.resolve(new Blob(['a,b']));
  }

  private _add(patch: Partial<IVersion>): void {
    this.all = [version(this.all.length + 1, patch), ...this.all];
    this.row = { ...this.row, version: this.all.length, versions: this.all.length };
  }
}

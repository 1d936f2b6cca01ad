/**
 * A data source as its page and the form for a run read it: versions, profile, types.
 */
import { ServerConnection } from '@jupyterlab/services';
import { errorFor, NetworkError } from './errors';
import { bodyOf, urlOf } from './request';
import type { IDataSource, Schemas } from './rows';
import { Transport } from './transport';
import { type IUploadOptions, uploadFile } from './upload';

export type ColumnType = string;

/** How a file is written; what it has no use for is missing or null. */
export interface IDialect {
  readonly encoding?: string | null;
  readonly delimiter?: string | null;
  readonly quote?: string | null;
  readonly decimal?: string | null;
  readonly thousands?: string | null;
  readonly header?: boolean | null;
  readonly skip_rows?: number | null;
  readonly sheet?: string | number | null;
  /** whether the file begins with Excel's `sep=` line, which `skip_rows` does not count */
  readonly sep_line?: boolean | null;
}

export interface IReported {
  readonly code: string;
  readonly column?: string;
  readonly message: string;
  readonly count?: number;
}

/** What should be decided before a run, and the parameters that decide it. */
export interface INotice {
  readonly code: string;
  readonly column?: string | null;
  readonly message: string;
  readonly setup_params?: Readonly<Record<string, unknown>> | null;
  readonly facts?: Readonly<Record<string, unknown>> | null;
}

export interface ILevel {
  readonly value: unknown;
  readonly count: number;
}

export interface IAlternative {
  readonly type: ColumnType;
  readonly effect: string;
}

/** One column of a profile: values + missing + unreadable are the rows. */
export interface IProfileColumn extends Omit<
  Schemas['ProfileColumn'],
  'alternatives' | 'histogram' | 'quantiles' | 'set_by_person' | 'top' | 'unreadable'
> {
  readonly alternatives: ReadonlyArray<IAlternative>;
  readonly histogram: {
    readonly edges: ReadonlyArray<unknown>;
    readonly counts: ReadonlyArray<number>;
  } | null;
  readonly quantiles: Readonly<Record<string, unknown>>;
  readonly top: ReadonlyArray<ILevel>;
  readonly unreadable: {
    readonly count: number;
    readonly examples: ReadonlyArray<{ readonly row: number; readonly text: string }>;
  };
  /** the type that a person has set, `type` being the one in force; older servers say only whether */
  readonly set_by_person: ColumnType | boolean | null;
}

export interface ISuggestion {
  readonly target: string | null;
  readonly task: string | null;
  readonly reason: string | null;
  /** of a series: the column with its times */
  readonly index?: string | null;
}

export interface IReadingProgress {
  readonly done?: number | null;
  readonly total?: number | null;
  readonly label?: string | null;
}

export interface IProfile {
  readonly status: 'pending' | 'ready' | 'failed';
  readonly version?: number;
  readonly rows?: number | null;
  readonly duplicates?: number | null;
  readonly dialect?: IDialect | null;
  readonly columns?: ReadonlyArray<IProfileColumn>;
  readonly reported?: ReadonlyArray<IReported>;
  readonly notices?: ReadonlyArray<INotice>;
  readonly suggestion?: ISuggestion | null;
  readonly progress?: IReadingProgress | null;
  readonly memory_bytes?: number | null;
  readonly error?: string | null;
}

/** What a version has against the one before. */
export interface IChanges {
  /** null where one of the two was not counted */
  readonly rows: number | null;
  readonly added: ReadonlyArray<string>;
  readonly removed: ReadonlyArray<string>;
  readonly types: ReadonlyArray<{
    readonly column: string;
    readonly before: ColumnType;
    readonly after: ColumnType;
  }>;
  readonly levels: ReadonlyArray<{
    readonly column: string;
    readonly new: ReadonlyArray<string>;
    readonly count: number;
  }>;
}

export interface IVersion extends Omit<
  Schemas['DataVersionRow'],
  'changes' | 'columns' | 'dialect'
> {
  readonly columns: ReadonlyArray<{ readonly name: string; readonly type?: ColumnType }>;
  readonly dialect: IDialect | null;
  readonly changes: IChanges | null;
}

export interface ISourcePatch {
  /** null takes away what a person has set: of one column, or of all */
  readonly types?: Readonly<Record<string, ColumnType | null>> | null;
  readonly dialect?: IDialect;
}

/** Which profile: of the newest version where none is named, with associations where a target is. */
export interface IProfileQuery {
  readonly version?: number | null;
  readonly target?: string | null;
}

/**
 * What a data page asks.
 */
export interface IDataApi {
  mayWriteIn(workspaceId: string): Promise<boolean>;
  source(id: string): Promise<IDataSource>;
  /** newest first */
  versions(id: string): Promise<ReadonlyArray<IVersion>>;
  profile(id: string, query: IProfileQuery): Promise<IProfile>;
  makeProfile(id: string, query: IProfileQuery): Promise<IProfile>;
  patch(id: string, patch: ISourcePatch): Promise<IDataSource>;
  uploadVersion(id: string, options: IUploadOptions): Promise<IDataSource>;
  /** the file as it was uploaded */
  download(id: string, version: number | null): Promise<Blob>;
}

export class DataApi extends Transport implements IDataApi {
  source(id: string): Promise<IDataSource> {
    return this.get<IDataSource>(`data-sources/${id}`);
  }

  versions(id: string): Promise<ReadonlyArray<IVersion>> {
    return this.get<ReadonlyArray<IVersion>>(`data-sources/${id}/versions`);
  }

  profile(id: string, query: IProfileQuery): Promise<IProfile> {
    return this.get<IProfile>(`data-sources/${id}/profile`, queryOf(query));
  }

  makeProfile(id: string, query: IProfileQuery): Promise<IProfile> {
    const search = new URLSearchParams(
      Object.entries(queryOf(query)).map(([key, value]): [string, string] => [key, String(value)])
    ).toString();
    return this.send<IProfile>('POST', `data-sources/${id}/profile${search ? `?${search}` : ''}`);
  }

  patch(id: string, patch: ISourcePatch): Promise<IDataSource> {
    return this.send<IDataSource>('PATCH', `data-sources/${id}`, patch);
  }

  uploadVersion(id: string, options: IUploadOptions): Promise<IDataSource> {
    return uploadFile(this.settings, urlOf(this.settings, `data-sources/${id}/versions`), options);
  }

  async download(id: string, version: number | null): Promise<Blob> {
    const url = urlOf(this.settings, `data-sources/${id}/download`, queryOf({ version }));
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, { cache: 'no-cache' }, this.settings);
    } catch (error) {
      throw new NetworkError(error instanceof Error ? error.message : String(error));
    }
    if (!response.ok) {
      throw errorFor(response.status, await bodyOf(response));
    }
    return response.blob();
  }
}

/** A query without what it leaves open. */
export function queryOf(query: IProfileQuery): Readonly<Record<string, string | number>> {
  return Object.fromEntries(
    Object.entries(query).filter(
      (entry): entry is [string, string | number] => entry[1] !== null && entry[1] !== undefined
    )
  );
}

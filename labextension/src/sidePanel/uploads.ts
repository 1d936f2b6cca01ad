import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import type { IOpsApi } from '../api/client';
import { NetworkError, sentenceOf, Stopped } from '../api/errors';
import type { IDataSource } from '../api/rows';
import type { IUpload } from './state';

/** What the panel takes; the server looks into the file and has the last word. */
export const TAKEN = ['.csv', '.tsv', '.txt', '.parquet', '.pq', '.xlsx', '.xlsm', '.xls'];

export function isTaken(filename: string): boolean {
  const name = filename.toLowerCase();
  return TAKEN.some(ending => name.endsWith(ending));
}

/**
 * A name that is not taken yet: `juice.csv`, then `juice (2).csv`.
 */
export function freeName(filename: string, taken: ReadonlySet<string>): string {
  const dot = filename.lastIndexOf('.');
  const [stem, ending] = dot > 0 ? [filename.slice(0, dot), filename.slice(dot)] : [filename, ''];
  const most = 128;
  for (let n = 1; ; n += 1) {
    const tail = n === 1 ? ending : ` (${n})${ending}`;
    const name = stem.slice(0, most - tail.length).trim() + tail;
    if (!taken.has(name)) {
      return name;
    }
  }
}

/**
 * Files on their way to the server, one at a time.
 */
export class UploadQueue {
  constructor(
    private readonly _api: IOpsApi,
    private readonly _trans: TranslationBundle
  ) {}

  readonly changed: ISignal<this, void> = new Signal<this, void>(this);
  readonly arrived: ISignal<this, IDataSource> = new Signal<this, IDataSource>(this);
  readonly refused: ISignal<this, IUpload> = new Signal<this, IUpload>(this);

  /** The rows to show; the same array until something changes. */
  get rows(): ReadonlyArray<IUpload> {
    return this._rows;
  }

  /**
   * Queue files for a workspace.
   *
   * @param taken - the names that its data sources have already
   */
  add(files: Iterable<File>, workspaceId: string, taken: Iterable<string>): void {
    const names = new Set([...taken, ...this._jobs.map(job => job.name)]);
    for (const file of files) {
      const row: IUpload = {
        id: `upload-${++this._count}`,
        filename: file.name,
        sent: 0,
        total: file.size,
        step: 'waiting',
        reason: null
      };
      this._rows = [row, ...this._rows];
      if (isTaken(file.name)) {
        const name = freeName(file.name, names);
        names.add(name);
        this._jobs.push({ id: row.id, name, file, workspaceId, stop: new AbortController() });
      } else {
        this._refuse(row.id, this._trans.__('Upload a CSV, Parquet or Excel file.'));
      }
    }
    this._emit();
    void this._work();
  }

  /**
   * Stop an upload that waits or is being sent.
   */
  stop(id: string): void {
    const job = this._jobs.find(job => job.id === id);
    job?.stop.abort();
    this._jobs = this._jobs.filter(other => other !== job);
    this._drop(id);
  }

  /**
   * Put a refused upload away.
   */
  dismiss(id: string): void {
    this._drop(id);
  }

  stopAll(): void {
    for (const job of [...this._jobs]) {
      this.stop(job.id);
    }
  }

  private async _work(): Promise<void> {
    if (this._working) {
      return;
    }
    this._working = true;
    for (let job = this._jobs[0]; job; job = this._jobs[0]) {
      await this._send(job);
      this._jobs = this._jobs.filter(other => other !== job);
    }
    this._working = false;
  }

  private async _send(job: IJob): Promise<void> {
    this._patch(job.id, { step: 'sending' });
    try {
      const row = await this._api.uploadDataSource(job.workspaceId, {
        name: job.name,
        file: job.file,
        signal: job.stop.signal,
        onProgress: (sent, total) =>
          this._patch(job.id, { sent, total, step: sent < total ? 'sending' : 'checking' })
      });
      // The panel takes the row over in the same change in which the upload goes.
      this._rows = this._rows.filter(other => other.id !== job.id);
      (this.arrived as Signal<this, IDataSource>).emit(row);
      this._emit();
    } catch (error) {
      if (error instanceof Stopped) {
        this._drop(job.id);
        return;
      }
      const reason =
        error instanceof NetworkError
          ? this._trans.__('The connection broke off. Upload the file again.')
          : sentenceOf(error);
      this._refuse(job.id, reason);
      this._emit();
    }
  }

  private _refuse(id: string, reason: string): void {
    this._rows = this._rows.map(row => (row.id === id ? { ...row, step: 'refused', reason } : row));
    const row = this._rows.find(row => row.id === id);
    if (row) {
      (this.refused as Signal<this, IUpload>).emit(row);
    }
  }

  private _patch(id: string, patch: Partial<IUpload>): void {
    this._rows = this._rows.map(row => (row.id === id ? { ...row, ...patch } : row));
    this._emit();
  }

  private _drop(id: string): void {
    this._rows = this._rows.filter(row => row.id !== id);
    this._emit();
  }

  private _emit(): void {
    (this.changed as Signal<this, void>).emit();
  }

  private _jobs: IJob[] = [];
  private _rows: ReadonlyArray<IUpload> = [];
  private _working = false;
  private _count = 0;
}

interface IJob {
  readonly id: string;
  readonly name: string;
  readonly file: File;
  readonly workspaceId: string;
  readonly stop: AbortController;
}

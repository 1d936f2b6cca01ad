import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import type { ColumnType, IDataApi, IDialect, IProfile, IVersion } from '../api/data';
import type { IDataSource } from '../api/rows';
import { ResponseError, Stopped } from '../api/errors';
import { detectedType } from '../common/columns';
import { lineFor, ON_LINE } from '../common/line';
import { phaseFor } from '../common/phase';
import { ProfilePoll } from '../common/profilePoll';
import { refusalOf } from '../common/words';
import { type IDataState, isConnector, NO_DATA } from './state';

/**
 * One data source: its versions, how they were read, and what is in their columns.
 */
export class DataModel {
  constructor(
    readonly id: string,
    private readonly _api: IDataApi,
    private readonly _trans: TranslationBundle
  ) {}

  readonly changed: ISignal<this, void> = new Signal<this, void>(this);
  /** Emitted with the row when it was changed here. */
  readonly patched: ISignal<this, IDataSource> = new Signal<this, IDataSource>(this);

  get state(): IDataState {
    return this._state;
  }

  /**
   * Say whether anybody can see the page: it asks only then.
   */
  setActive(active: boolean): void {
    this._active = active;
    if (!active) {
      this._poll.stop();
    } else if (this._state.source === null) {
      void this.load();
    } else {
      void this._refresh();
    }
  }

  async load(): Promise<void> {
    this._patch({ phase: 'loading', trouble: null });
    try {
      const source = await this._api.source(this.id);
      const [mayWrite, versions] = await Promise.all([
        this._api.mayWriteIn(source.workspace_id),
        this._versionsOf(source)
      ]);
      this._patch({
        phase: 'live',
        source,
        mayWrite,
        versions,
        version: versions[0]?.version ?? null
      });
      this._follow();
    } catch (error) {
      this._patch({ phase: phaseFor(error), trouble: refusalOf(error, this._trans) });
    }
  }

  chooseVersion(version: number): void {
    if (version !== this._state.version) {
      this._patch({ version, profile: null, failure: null });
      this._follow();
    }
  }

  /** Compare all columns with one of them. */
  chooseTarget(target: string): void {
    this._chosen = true;
    this._patch({ target });
    this._follow();
  }

  /** Give a column another type for the runs to come; what was detected takes a change back. */
  async setType(name: string, type: ColumnType): Promise<void> {
    const column = this._state.profile?.columns?.find(one => one.name === name);
    const detected = column ? detectedType(column) : null;
    await this._setTypes({ [name]: type === detected ? null : type });
  }

  /** Give a column back the type that was detected. */
  async undoType(name: string): Promise<void> {
    await this._setTypes({ [name]: null });
  }

  async resetTypes(): Promise<void> {
    await this._setTypes(null);
  }

  /**
   * Read the file in another way, as a new version.
   *
   * What the server refuses is thrown: the dialog says it.
   */
  async readAgain(dialect: IDialect): Promise<void> {
    this._show(await this._api.patch(this.id, { dialect }));
    await this._showNewest();
  }

  /** Make the profile again: after a failure, or of a table that lives elsewhere. */
  async makeAgain(): Promise<void> {
    this._poll.stop();
    this._patch({ failure: null, reading: {}, notice: null });
    try {
      const { version } = this._state;
      await this._api.makeProfile(this.id, { version });
      this._follow();
    } catch (error) {
      const sentence = refusalOf(error, this._trans);
      this._patch({
        reading: null,
        ...(this._state.profile ? { notice: sentence } : { failure: sentence })
      });
    }
  }

  async upload(file: File): Promise<void> {
    if (this._state.sending) {
      return;
    }
    const stop = new AbortController();
    this._stop = stop;
    const sending = { filename: file.name, sent: 0, total: file.size };
    this._patch({ sending, notice: null });
    try {
      const row = await this._api.uploadVersion(this.id, {
        file,
        signal: stop.signal,
        onProgress: (sent, total) => this._patch({ sending: { ...sending, sent, total } })
      });
      this._show(row);
      await this._showNewest();
    } catch (error) {
      if (!(error instanceof Stopped)) {
        const reason = refusalOf(error, this._trans);
        this._patch({ notice: this._trans.__('%1 was not uploaded. %2', file.name, reason) });
      }
    } finally {
      this._stop = null;
      this._patch({ sending: null });
    }
  }

  stopUpload(): void {
    this._stop?.abort();
  }

  /** The file of the version on display, as it was uploaded; null where it was not reached. */
  async download(): Promise<Blob | null> {
    this._patch({ notice: null });
    try {
      return await this._api.download(this.id, this._state.version);
    } catch (error) {
      this._patch({ notice: refusalOf(error, this._trans) });
      return null;
    }
  }

  say(notice: string | null): void {
    this._patch({ notice });
  }

  dispose(): void {
    this._isDisposed = true;
    this._poll.stop();
    this._stop?.abort();
    Signal.clearData(this);
  }

  /** A page that is seen again may be behind: another one may have added a version. */
  private async _refresh(): Promise<void> {
    const before = this._state.source;
    try {
      await this._readRow();
    } catch (error) {
      this._fail(error);
      return;
    }
    const { source, profile } = this._state;
    if (!profile || source?.updated_at !== before?.updated_at) {
      this._follow();
    }
  }

  private async _readRow(): Promise<void> {
    const source = await this._api.source(this.id);
    const versions = await this._versionsOf(source);
    this._patch({ ...ON_LINE, source, versions });
  }

  /** An older server has no versions. */
  private async _versionsOf(source: IDataSource): Promise<ReadonlyArray<IVersion>> {
    if (isConnector(source)) {
      return [];
    }
    try {
      return await this._api.versions(this.id);
    } catch (error) {
      if (error instanceof ResponseError && (error.status === 404 || error.status === 405)) {
        return [];
      }
      throw error;
    }
  }

  private async _setTypes(types: Readonly<Record<string, ColumnType | null>> | null) {
    const turn = ++this._setting;
    const { source } = this._state;
    if (source === null) {
      return;
    }
    // Shown at once; the server's own answer follows.
    const kept = types === null ? {} : { ...source.types, ...types };
    const shown = Object.entries(kept).filter((one): one is [string, string] => one[1] !== null);
    this._patch({ source: { ...source, types: Object.fromEntries(shown) }, notice: null });
    try {
      const row = await this._api.patch(this.id, { types });
      if (turn === this._setting) {
        this._show(row);
        this._follow();
      }
    } catch (error) {
      const notice = refusalOf(error, this._trans);
      this._patch({ ...(turn === this._setting ? { source } : {}), notice });
    }
  }

  private _show(row: IDataSource): void {
    // An answer to an upload has more than a row.
    this._patch({ source: { ...this._state.source, ...row } });
    (this.patched as Signal<this, IDataSource>).emit(row);
  }

  private async _showNewest(): Promise<void> {
    await this._readRow();
    this._patch({
      version: this._state.versions[0]?.version ?? null,
      profile: null,
      failure: null
    });
    this._follow();
  }

  /** Follow the profile of the version on display: first without a target, which it may suggest. */
  private _follow(): void {
    if (!this._active || this._isDisposed) {
      this._poll.stop();
      return;
    }
    const { version } = this._state;
    this._patch({ comparing: false });
    this._poll.follow(() => this._api.profile(this.id, { version }), {
      onProfile: profile => this._take(profile),
      onError: error => this._fail(error)
    });
  }

  private _take(profile: IProfile): void {
    if (profile.status === 'pending') {
      this._isNews = true;
      this._patch({ ...ON_LINE, reading: profile.progress ?? {}, failure: null });
      return;
    }
    if (profile.status === 'failed') {
      const failure = profile.error ?? this._trans.__('The server gave no reason.');
      this._patch({ ...ON_LINE, profile: null, reading: null, failure });
      return;
    }
    const names = new Set(profile.columns?.map(column => column.name));
    const suggested = this._chosen ? null : profile.suggestion?.target;
    const target = suggested ?? this._state.target;
    const { profile: before } = this._state;
    this._patch({
      ...ON_LINE,
      profile: related(profile, before, target === this._state.target),
      reading: null,
      failure: null,
      target: names.has(target) ? target : ''
    });
    if (this._isNews) {
      // Only with the profile are all rows read: the row and its changes know more now.
      this._isNews = false;
      void this._readRow().catch(() => undefined);
    }
    if (this._state.target !== '') {
      this._followTarget();
    }
  }

  /** What all columns have to do with one of them. What is on display stays until it is known. */
  private _followTarget(): void {
    const { version, target } = this._state;
    this._poll.follow(() => this._api.profile(this.id, { version, target }), {
      onProfile: profile => {
        if (profile.status === 'ready') {
          this._patch({ ...ON_LINE, profile, comparing: false });
        } else if (profile.status === 'failed') {
          const reason = profile.error ?? this._trans.__('The server gave no reason.');
          this._patch({
            comparing: false,
            notice: this._trans.__('The associations were not computed. %1', reason)
          });
        } else {
          this._patch({ ...ON_LINE, comparing: true });
        }
      },
      onError: error => {
        // The profile stands without what an older server cannot say.
        if (error instanceof ResponseError && error.status < 500) {
          this._poll.stop();
          this._patch({ comparing: false });
        } else {
          this._fail(error);
        }
      }
    });
  }

  private _fail(error: unknown): void {
    if (phaseFor(error) === 'missing') {
      this._poll.stop();
      this._patch({ phase: 'missing' });
    } else if (error instanceof ResponseError && error.status < 500 && error.status !== 401) {
      this._poll.stop();
      this._patch({ reading: null, failure: refusalOf(error, this._trans) });
    } else {
      this._patch(lineFor(error));
    }
  }

  private _patch(patch: Partial<IDataState>): void {
    if (!this._isDisposed) {
      this._state = { ...this._state, ...patch };
      (this.changed as Signal<this, void>).emit();
    }
  }

  private readonly _poll = new ProfilePoll();
  private _state: IDataState = NO_DATA;
  private _active = false;
  private _isDisposed = false;
  /** a profile was being made while it was looked at */
  private _isNews = false;
  /** somebody has chosen the target */
  private _chosen = false;
  /** counts changes of types; only the answer to the last one is shown */
  private _setting = 0;
  private _stop: AbortController | null = null;
}

/** A profile with the associations that are on display, until those of the same target come anew. */
function related(profile: IProfile, before: IProfile | null, sameTarget: boolean): IProfile {
  if (!before || !sameTarget || !profile.columns) {
    return profile;
  }
  const known = new Map(before.columns?.map(column => [column.name, column.association]));
  const columns = profile.columns.map(column => ({
    ...column,
    association: column.association ?? known.get(column.name) ?? null
  }));
  const notices = profile.notices?.length ? profile.notices : (before.notices ?? []);
  return { ...profile, columns, notices };
}

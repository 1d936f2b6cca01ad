import type { IProfile, IVersion } from '../api/data';
import type { ITrainingApi } from '../api/training';
import { timeColumn } from './columns';
import { DataReader } from './dataReader';
import { type IFormState, setupParam, takesTarget } from './state';

/** What the suggestions of a profile are filled into. */
export interface ISuggested {
  state(): IFormState;
  patch(patch: Partial<IFormState>): void;
  chooseTask(task: string): Promise<void>;
  /** give the experiment a name from data and target */
  name(): void;
}

/**
 * Follows the profile of the chosen data and fills in what it suggests, until somebody has chosen.
 */
export class Suggestions {
  constructor(
    api: ITrainingApi,
    private readonly _form: ISuggested
  ) {
    this._data = new DataReader(api);
  }

  /** Other data are chosen, or none any more. */
  begin(): void {
    this._data.stop();
    this._whole = null;
    this._targetChosen = false;
    this._copied = false;
    this._suggested = '';
  }

  /** Somebody has chosen the target. */
  keepTarget(): void {
    this._targetChosen = true;
  }

  /** The form has what another run was made from. */
  keepAll(): void {
    this._targetChosen = true;
    this._copied = true;
  }

  versions(sourceId: string): Promise<ReadonlyArray<IVersion>> {
    return this._data.versions(sourceId);
  }

  /** Follow the profile of the chosen data; what it suggests stands until somebody has chosen. */
  follow(): void {
    const { sourceId, version } = this._form.state();
    this._data.follow({ sourceId, version }, null, {
      onReading: reading => this._form.patch({ reading }),
      onProfile: profile => {
        this._whole = profile;
        this._form.patch({ profile });
        this._suggest(profile);
        this.followTarget();
      }
    });
  }

  /** Follow what was noticed about the target, once all rows are read. */
  followTarget(): void {
    const { sourceId, version, target, profile } = this._form.state();
    if (profile === null || target === '' || !takesTarget(this._form.state())) {
      return;
    }
    this._data.follow({ sourceId, version }, target, {
      onReading: () => undefined,
      onProfile: related => {
        // Why a target was suggested is said without one.
        const whole = this._whole?.suggestion;
        const suggestion = whole?.target === target ? whole : (related.suggestion ?? null);
        const told = { ...related, suggestion };
        this._form.patch({ profile: told });
        this._suggest(told);
      }
    });
  }

  /** Fill in what a profile suggests. */
  private _suggest({ suggestion, columns }: IProfile): void {
    if (!suggestion) {
      return;
    }
    const { target } = this._form.state();
    const isThere = columns?.some(column => column.name === suggestion.target);
    if (!this._targetChosen && suggestion.target && isThere && suggestion.target !== target) {
      this._form.patch({ target: suggestion.target });
      this._form.name();
    }
    // A task that somebody has chosen for another target says nothing about this one.
    if (suggestion.target === this._form.state().target && suggestion.task && !this._copied) {
      this._targetTask(suggestion.target, suggestion.task);
    }
    this.fillTime();
  }

  /** Take the suggested task, once for each target. */
  private _targetTask(target: string, task: string): void {
    if (this._suggested !== target) {
      this._suggested = target;
      if (takesTarget({ tasks: this._form.state().tasks, task })) {
        void this._form.chooseTask(task);
      }
    }
  }

  /** The time column of a series, where the data have only one that it can be. */
  fillTime(): void {
    const { values } = this._form.state();
    const column = setupParam(this._form.state(), 'index') ? timeColumn(this._form.state()) : null;
    if (column !== null && values.index === undefined && column !== this._form.state().target) {
      this._form.patch({ values: { ...values, index: column } });
    }
  }

  private readonly _data: DataReader;
  /** the profile without a target */
  private _whole: IProfile | null = null;
  /** somebody has chosen the target: a profile does not change it */
  private _targetChosen = false;
  /** the target whose task was suggested */
  private _suggested = '';
  /** the form has what another run was made from */
  private _copied = false;
}

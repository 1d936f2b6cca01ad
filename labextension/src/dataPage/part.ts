import type { DataModel } from './model';
import type { IDataState } from './state';

/** What a part of the data page is made from. */
export interface IPart {
  readonly model: DataModel;
  readonly state: IDataState;
}

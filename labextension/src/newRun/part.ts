import type { NewRunModel } from './model';
import type { IFormState } from './state';

/** What a part of the form is made from. */
export interface IPart {
  readonly model: NewRunModel;
  readonly state: IFormState;
}

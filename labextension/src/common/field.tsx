import React from 'react';
import { StatusMark } from './icons';

export interface IFieldProps {
  readonly id: string;
  readonly label: string;
  readonly hint?: React.ReactNode;
  readonly error?: string | undefined;
  /** stands below the control and its hint, over the whole width */
  readonly below?: React.ReactNode;
  readonly children: React.ReactNode;
}

/**
 * A line of a form: label, control, and a hint or what is wrong.
 */
export function Field({ id, label, hint, error, below, children }: IFieldProps): JSX.Element {
  return (
    <>
      <label className="jp-pycaret-form__label" htmlFor={id}>
        {label}
      </label>
      <div className="jp-pycaret-form__control">
        {children}
        {error ? (
          <p className="jp-pycaret-form__error jp-pycaret-form__hint" id={`${id}-error`}>
            <StatusMark status="failed" />
            <span>{error}</span>
          </p>
        ) : hint ? (
          <p className="jp-pycaret-form__hint" id={`${id}-hint`}>
            {hint}
          </p>
        ) : null}
        {below}
      </div>
    </>
  );
}

/** What ties a control to its line: its id, and what describes it. */
export function tied(
  id: string,
  error?: string
): {
  readonly id: string;
  readonly 'aria-invalid'?: true;
  readonly 'aria-describedby': string;
} {
  return error
    ? { id, 'aria-invalid': true, 'aria-describedby': `${id}-error` }
    : { id, 'aria-describedby': `${id}-hint` };
}

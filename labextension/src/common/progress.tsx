import React from 'react';

export interface IProgressProps {
  readonly label: string;
  /** from 0 to 1; null where how much there is to do is not known */
  readonly share: number | null;
  readonly text?: string;
}

/**
 * A bar that starts at zero.
 */
export function Progress({ label, share, text }: IProgressProps): JSX.Element {
  const percent = share === null ? null : Math.round(100 * Math.min(1, Math.max(0, share)));
  return (
    <div
      className="jp-pycaret-progress"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(percent === null ? {} : { 'aria-valuenow': percent })}
      {...(text === undefined ? {} : { 'aria-valuetext': text })}
    >
      <div className="jp-pycaret-progress__fill" style={{ width: `${percent ?? 0}%` }} />
    </div>
  );
}

import React from 'react';
import { StatusMark } from './icons';

/**
 * A hint in a few words beside a name; one that warns has the mark of a warning.
 */
export function Tag({
  warns = false,
  children
}: {
  readonly warns?: boolean;
  readonly children: React.ReactNode;
}): JSX.Element {
  return (
    <span className="jp-pycaret-tag">
      {warns ? <StatusMark status="warning" /> : null}
      {children}
    </span>
  );
}

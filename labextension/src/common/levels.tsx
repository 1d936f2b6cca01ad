import React from 'react';
import { formatCount, formatShare } from './format';
import { useTrans } from './trans';

export interface ILevelBar {
  readonly name: string;
  readonly count: number;
}

/**
 * Levels with a bar, their count, and their share of the rows; what is not drawn is counted.
 */
export function Levels({
  levels,
  more = 0,
  total,
  rows,
  accent = false,
  label
}: {
  readonly levels: ReadonlyArray<ILevelBar>;
  /** levels beyond these */
  readonly more?: number;
  /** cells with a level */
  readonly total: number;
  readonly rows: number;
  readonly accent?: boolean;
  /** the name of the table; without one it is a picture beside the figures */
  readonly label?: string;
}): JSX.Element {
  const trans = useTrans();
  const most = Math.max(1, ...levels.map(level => level.count));
  const rest = total - levels.reduce((sum, level) => sum + level.count, 0);
  const line = (name: React.ReactNode, count: number, bar: boolean): JSX.Element => (
    <div role="row" className="jp-pycaret-levels__row">
      {name}
      <div role="cell" className={bar ? 'jp-pycaret-bar' : undefined}>
        {bar ? (
          <span className="jp-pycaret-bar__fill" style={{ width: `${(100 * count) / most}%` }} />
        ) : null}
      </div>
      <span role="cell" className="jp-pycaret-num">
        {formatCount(count)}
      </span>
      <span role="cell" className="jp-pycaret-num">
        {formatShare(count, rows)}
      </span>
    </div>
  );
  return (
    <div
      className={`jp-pycaret-levels${accent ? ' jp-pycaret-levels--accent' : ''}`}
      role="table"
      aria-label={label ?? trans.__('Levels')}
    >
      {levels.map(({ name, count }) => (
        <React.Fragment key={name}>
          {line(
            <span role="rowheader" className="jp-pycaret-clip" title={name}>
              {name}
            </span>,
            count,
            true
          )}
        </React.Fragment>
      ))}
      {more > 0 && rest > 0
        ? line(
            <span role="rowheader" className="jp-pycaret-muted">
              {trans.__('%1 more', formatCount(more))}
            </span>,
            rest,
            false
          )
        : null}
    </div>
  );
}

import React from 'react';
import type { ILeaderboardRow } from '../api/rows';
import { formatCount } from '../common/format';
import { useTrans } from '../common/trans';
import { foldsOf, type IRange } from './cells';

const WIDTH = 128;
const MIDDLE = 8;
const RADIUS = 2;
/** where dots that would cover each other go */
const LEVELS = [0, -4, 4];

/**
 * One dot a fold, one tick for the mean.
 */
export function FoldStrip({
  row,
  mean,
  range
}: {
  readonly row: ILeaderboardRow;
  readonly mean: number | null;
  readonly range: IRange;
}): JSX.Element {
  const trans = useTrans();
  const place = (value: number): number =>
    RADIUS + ((value - range.low) / (range.high - range.low)) * (WIDTH - 2 * RADIUS);
  const values = [...foldsOf(row)].sort((a, b) => a - b);
  const lastAt = [-Infinity, -Infinity, -Infinity];
  const dots = values.map(value => {
    const x = place(value);
    const free = LEVELS.findIndex((_, level) => x - (lastAt[level] ?? 0) >= 2 * RADIUS);
    const level = free === -1 ? 0 : free;
    lastAt[level] = x;
    return { x, y: MIDDLE + (LEVELS[level] ?? 0) };
  });
  const label = trans.__(
    '%1 folds, %2 to %3',
    formatCount(values.length),
    (values[0] ?? 0).toFixed(3),
    (values[values.length - 1] ?? 0).toFixed(3)
  );
  return (
    <svg
      className="jp-pycaret-strip"
      viewBox={`0 0 ${WIDTH} 16`}
      role="img"
      aria-label={label}
      preserveAspectRatio="xMidYMid meet"
    >
      <path className="jp-pycaret-strip__axis" d={`M0 ${MIDDLE}h${WIDTH}`} />
      {dots.map((dot, index) => (
        <circle
          key={index}
          className="jp-pycaret-strip__fold"
          cx={dot.x.toFixed(1)}
          cy={dot.y}
          r={RADIUS}
        />
      ))}
      {mean === null ? null : (
        <path className="jp-pycaret-strip__mean" d={`M${place(mean).toFixed(1)} 1.5v13`} />
      )}
    </svg>
  );
}

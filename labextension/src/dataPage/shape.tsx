import React from 'react';
import type { IProfileColumn } from '../api/data';
import { formatCount } from '../common/format';
import { useTrans } from '../common/trans';
import { barsOf, formatOf, shapeOf } from './figures';

const SMALL = { width: 88, height: 20 };
const LARGE = { width: 256, height: 96, foot: 20, head: 4 };

/** The values of a column as a small picture; its figures stand beside it. */
export function Shape({ column }: { readonly column: IProfileColumn }): JSX.Element | null {
  const shape = shapeOf(column);
  const { width, height } = SMALL;
  return shape ? (
    <svg
      className="jp-pycaret-hist"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path d={barsOf(shape, width, height)} />
    </svg>
  ) : null;
}

/** A histogram with its ends and the median; null for a column without one. */
export function Histogram({ column }: { readonly column: IProfileColumn }): JSX.Element | null {
  const trans = useTrans();
  const { histogram, min, max, name, values } = column;
  if (!histogram || histogram.counts.length < 2) {
    return null;
  }
  const { width, height, foot, head } = LARGE;
  const base = head + height;
  const [from = '', to = ''] = formatOf(column, [min, max]);
  const middle = column.quantiles['0.5'];
  const [median = ''] = formatOf(column, [middle]);
  const at = share(middle, min, max);
  const x = at === null ? null : at * width;
  const count = formatCount(values);
  return (
    <svg
      className="jp-pycaret-plot"
      viewBox={`0 0 ${width} ${base + foot}`}
      role="img"
      aria-label={trans.__('Histogram of %1, %2 values from %3 to %4', name, count, from, to)}
    >
      <path className="jp-pycaret-plot__grid" d={`M0 ${base}h${width}`} />
      <path
        className="jp-pycaret-plot__plus"
        transform={`translate(0 ${head})`}
        d={barsOf({ kind: 'ranges', counts: histogram.counts }, width, height, 1)}
      />
      {x === null ? null : (
        <>
          <path className="jp-pycaret-plot__rule" d={`M${x} ${head}V${base + 3}`} />
          <text
            className="jp-pycaret-plot__ink"
            x={x < width / 2 ? x + 6 : x - 6}
            y="12"
            textAnchor={x < width / 2 ? 'start' : 'end'}
          >
            {trans.__('median %1', median)}
          </text>
        </>
      )}
      <text x="0" y={base + 14} textAnchor="start">
        {from}
      </text>
      <text x={width} y={base + 14} textAnchor="end">
        {to}
      </text>
    </svg>
  );
}

/** Where a value lies between two ends, from 0 to 1; dates by their time. */
function share(value: unknown, min: unknown, max: unknown): number | null {
  const [at, from, to] = [value, min, max].map(one =>
    typeof one === 'number' ? one : typeof one === 'string' ? Date.parse(one) : NaN
  );
  const found = ((at ?? NaN) - (from ?? NaN)) / ((to ?? NaN) - (from ?? NaN));
  return Number.isFinite(found) ? Math.min(1, Math.max(0, found)) : null;
}

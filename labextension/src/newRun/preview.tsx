import React from 'react';
import type { IColumn, IPreview } from '../api/engine';
import { formatCount } from '../common/format';
import { useTrans } from '../common/trans';

/** columns drawn; wider data is cut, for a form is no place to read it */
const COLUMNS = 40;

/**
 * First rows of a data source, with types and missing values; the target comes first.
 */
export function Preview({
  name,
  preview,
  target
}: {
  readonly name: string;
  readonly preview: IPreview;
  readonly target: string;
}): JSX.Element {
  const trans = useTrans();
  const columns = [...preview.columns]
    .sort((a, b) => Number(b.name === target) - Number(a.name === target))
    .slice(0, COLUMNS);
  const decimals = new Map(
    columns
      .filter(column => column.dtype === 'number')
      .map(({ name: column }): [string, number] => [
        column,
        decimalsOf(preview.rows.map(row => row[column]))
      ])
  );
  return (
    <div className="jp-pycaret-block">
      <div
        className="jp-pycaret-preview"
        role="region"
        aria-label={trans.__('Preview of %1', name)}
        // It scrolls sideways: without a stop the keyboard could not.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
      >
        <table className="jp-pycaret-table jp-pycaret-table--auto">
          <thead>
            <tr>
              {columns.map(column => (
                <Head key={column.name} column={column} isTarget={column.name === target} />
              ))}
            </tr>
          </thead>
          <tbody>
            {preview.rows.map((row, index) => (
              <tr key={index}>
                {columns.map(column => (
                  <Cell
                    key={column.name}
                    column={column}
                    value={row[column.name]}
                    decimals={decimals.get(column.name) ?? 0}
                    target={target}
                  />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="jp-pycaret-hint">
        {trans.__(
          'First %1 rows, %2 of %3 columns. The bar under a type is the share of missing values.',
          formatCount(preview.rows.length),
          formatCount(columns.length),
          formatCount(preview.columns.length)
        )}
      </p>
    </div>
  );
}

function Head({
  column,
  isTarget
}: {
  readonly column: IColumn;
  readonly isTarget: boolean;
}): JSX.Element {
  const trans = useTrans();
  const share = column.examined > 0 ? (100 * column.missing) / column.examined : 0;
  const percent = `${share < 1 ? share.toFixed(1) : Math.round(share)} %`;
  return (
    <th
      scope="col"
      className={isTarget ? 'jp-pycaret-preview__target' : undefined}
      title={
        share > 0
          ? trans.__('%1: %2, %3 missing', column.name, column.dtype, percent)
          : trans.__('%1: %2, nothing missing', column.name, column.dtype)
      }
    >
      <span className="jp-pycaret-preview__name">{column.name}</span>
      <span className="jp-pycaret-preview__type">
        <span>{column.dtype}</span>
        {isTarget ? <span>{trans.__('target')}</span> : share > 0 ? <span>{percent}</span> : null}
      </span>
      <span className="jp-pycaret-preview__missing">
        {share > 0 ? <i style={{ width: `${share}%` }} /> : null}
      </span>
    </th>
  );
}

function Cell({
  column,
  value,
  decimals,
  target
}: {
  readonly column: IColumn;
  readonly value: unknown;
  readonly decimals: number;
  readonly target: string;
}): JSX.Element {
  const trans = useTrans();
  const isNumber = column.dtype === 'integer' || column.dtype === 'number';
  const missing = value === null || value === undefined;
  const classes = [
    isNumber ? 'jp-pycaret-num' : '',
    missing ? 'jp-pycaret-preview__null' : '',
    column.name === target ? 'jp-pycaret-preview__target' : ''
  ];
  return (
    <td className={classes.filter(Boolean).join(' ')}>
      {missing
        ? trans.__('missing')
        : typeof value === 'number' && decimals > 0
          ? value.toFixed(decimals)
          : String(value)}
    </td>
  );
}

/** decimals of a column, at most */
const MOST = 6;

/** As many decimals as the value that has most of them; none where one is written with an exponent. */
function decimalsOf(values: ReadonlyArray<unknown>): number {
  const texts = values.filter(value => typeof value === 'number').map(String);
  return texts.some(text => text.includes('e'))
    ? 0
    : Math.min(MOST, Math.max(0, ...texts.map(text => text.split('.')[1]?.length ?? 0)));
}

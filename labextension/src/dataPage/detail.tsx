import React from 'react';
import type { IProfileColumn } from '../api/data';
import { typeOf } from '../common/columns';
import { formatCount } from '../common/format';
import { Levels } from '../common/levels';
import { useTrans } from '../common/trans';
import { formatOf, formatValue } from './figures';
import { Histogram } from './shape';
import type { IDataState } from './state';

/** levels that are drawn before the rest is counted */
const LEVELS = 8;

/**
 * Everything about one column.
 */
export function Detail({
  column,
  state,
  rows,
  inPlace
}: {
  readonly column: IProfileColumn;
  readonly state: IDataState;
  readonly rows: number;
  /** whether it stands under its row, which has name and type */
  readonly inPlace: boolean;
}): JSX.Element {
  const { name } = column;
  const type = typeOf(column, state.source?.types);
  return (
    <aside className="jp-pycaret-detail" role="region" aria-label={name}>
      <div>
        {inPlace ? null : (
          <div className="jp-pycaret-block__head">
            <h3 className="jp-pycaret-block__title jp-pycaret-exact">{name}</h3>
            <span className="jp-pycaret-block__aside">{type}</span>
          </div>
        )}
        <Recognised column={column} type={type} />
      </div>
      <Picture column={column} rows={rows} />
      <Totals column={column} rows={rows} />
      <Figures column={column} />
      <Words column={column} />
      <Unreadable column={column} />
      <Alternatives column={column} type={type} />
    </aside>
  );
}

interface IColumnPart {
  readonly column: IProfileColumn;
}

/** How the type was found, and what was noticed of the column. */
function Recognised({ column, type }: IColumnPart & { readonly type: string }): JSX.Element {
  const trans = useTrans();
  const { recognised_as: words, hints, name } = column;
  // The sentences begin with the column, which stands above them.
  const bare = hints.map(hint =>
    hint.startsWith(`${name}: `) ? hint.slice(name.length + 2) : hint
  );
  const sentence =
    type === column.type && words
      ? trans.__('Recognised as %1.', words)
      : trans.__('Read again soon.');
  return (
    <>
      <p className="jp-pycaret-hint">
        {column.set_by_person && type === column.type ? trans.__('Set by a person.') : sentence}
      </p>
      {bare.map(hint => (
        <p key={hint} className="jp-pycaret-hint">
          {hint.charAt(0).toUpperCase() + hint.slice(1)}
        </p>
      ))}
    </>
  );
}

function Picture({ column, rows }: IColumnPart & { readonly rows: number }): JSX.Element | null {
  const { type, histogram, top } = column;
  if (histogram && histogram.counts.length > 1 && type !== 'identifier') {
    return <Histogram column={column} />;
  }
  if (top.length === 0 || type === 'identifier' || type === 'text') {
    return null;
  }
  return (
    <Levels
      levels={top.slice(0, LEVELS).map(({ value, count }) => ({ name: formatValue(value), count }))}
      more={Math.max(0, column.distinct - Math.min(LEVELS, top.length))}
      total={column.values}
      rows={rows}
      accent
    />
  );
}

/** Values + Missing + Unreadable = Rows. */
function Totals({ column, rows }: IColumnPart & { readonly rows: number }): JSX.Element {
  const trans = useTrans();
  const { values, missing, unreadable } = column;
  return (
    <dl className="jp-pycaret-facts jp-pycaret-facts--total">
      <dt>{trans.__('Values')}</dt>
      <dd>{formatCount(values)}</dd>
      <dt>{trans.__('Missing')}</dt>
      <dd>{formatCount(missing)}</dd>
      <dt>{trans.__('Unreadable')}</dt>
      <dd>{formatCount(unreadable.count)}</dd>
      <dt>{trans.__('Rows')}</dt>
      <dd>
        <b>{formatCount(rows)}</b>
      </dd>
    </dl>
  );
}

function Figures({ column }: IColumnPart): JSX.Element | null {
  const trans = useTrans();
  const { mean, min, max, quantiles, top, distinct, type } = column;
  const facts: Array<[string, string]> = [[trans.__('Distinct'), formatCount(distinct)]];
  const isRange = min !== null && min !== undefined;
  if (isRange) {
    const [from = '', to = ''] = formatOf(column, [min, max]);
    facts.push([trans.__('Range'), trans.__('%1 to %2', from, to)]);
  }
  if (mean !== null && mean !== undefined) {
    facts.push([trans.__('Mean'), formatOf(column, [mean])[0] ?? '']);
  }
  const [low, high] = [quantiles['0.05'], quantiles['0.95']];
  if (low !== undefined && high !== undefined) {
    const [from = '', to = ''] = formatOf(column, [low, high]);
    facts.push([trans.__('5 % to 95 %'), trans.__('%1 to %2', from, to)]);
  }
  if (isRange && top.length > 0) {
    const often = top.slice(0, 2).map(({ value, count }) => {
      const [text = ''] = formatOf(column, [value]);
      return trans.__('%1 (%2 ×)', text, formatCount(count));
    });
    facts.push([trans.__('Most frequent'), often.join(', ')]);
  }
  if (type === 'text' && top[0]) {
    facts.push([trans.__('Most frequent'), formatValue(top[0].value)]);
  }
  return <Facts facts={facts} />;
}

function Facts({ facts }: { readonly facts: ReadonlyArray<[string, string]> }): JSX.Element {
  return (
    <dl className="jp-pycaret-facts">
      {facts.map(([name, value]) => (
        <React.Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </React.Fragment>
      ))}
    </dl>
  );
}

/** Words that stand for a missing value, with their counts. */
function Words({ column }: IColumnPart): JSX.Element | null {
  const trans = useTrans();
  const words = Object.entries(column.missing_words);
  return words.length === 0 ? null : (
    <div>
      <h4>{trans.__('Read as missing')}</h4>
      <dl className="jp-pycaret-facts">
        {words.map(([word, count]) => (
          <React.Fragment key={word}>
            <dt className="jp-pycaret-mono jp-pycaret-exact">{word}</dt>
            <dd>{formatCount(count)}</dd>
          </React.Fragment>
        ))}
      </dl>
    </div>
  );
}

function Unreadable({ column }: IColumnPart): JSX.Element | null {
  const trans = useTrans();
  const { count, examples } = column.unreadable;
  return count === 0 ? null : (
    <div>
      <h4>
        {trans._n(
          '%2 unreadable cell, read as missing',
          '%2 unreadable cells, read as missing',
          count,
          formatCount(count)
        )}
      </h4>
      <dl className="jp-pycaret-facts jp-pycaret-facts--start">
        {examples.map(({ row, text }) => (
          <React.Fragment key={row}>
            <dt>{trans.__('Row %1', formatCount(row))}</dt>
            <dd className="jp-pycaret-mono jp-pycaret-exact">{text}</dd>
          </React.Fragment>
        ))}
      </dl>
    </div>
  );
}

function Alternatives({
  column,
  type
}: IColumnPart & { readonly type: string }): JSX.Element | null {
  const trans = useTrans();
  const others = column.alternatives.filter(one => one.type !== type);
  return others.length === 0 ? null : (
    <div>
      <h4>{trans.__('If you change the type')}</h4>
      <dl className="jp-pycaret-facts jp-pycaret-facts--start">
        {others.map(one => (
          <React.Fragment key={one.type}>
            <dt>{one.type}</dt>
            <dd>{one.effect}</dd>
          </React.Fragment>
        ))}
      </dl>
    </div>
  );
}

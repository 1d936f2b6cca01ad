import React, { useRef, useState } from 'react';
import type { IProfile, IProfileColumn } from '../api/data';
import { matches } from '../common/columns';
import { formatCount } from '../common/format';
import { Icon } from '../common/icons';
import { SearchField } from '../common/search';
import { useTrans } from '../common/trans';
import { useWide } from '../common/useWide';
import type { IPart } from './part';
import { ColumnRow } from './columnRow';
import { Detail } from './detail';
import { changedColumns, isComparable } from './state';

/** rows drawn at first, and with each `Show more` after that */
const FIRST = 60;
const STEP = 100;
/** px from which the details of a column stand beside the table */
const WIDE = 960;

type SortKey = 'name' | 'missing' | 'association';

interface ISort {
  readonly key: SortKey;
  readonly descending: boolean;
}

/**
 * All columns, one line for each; the details of one stand beside them, or in place where it is narrow.
 */
export function Columns({
  model,
  state,
  profile
}: IPart & { readonly profile: IProfile }): JSX.Element {
  const trans = useTrans();
  const box = useRef<HTMLDivElement>(null);
  const wide = useWide(box, WIDE);
  const [wanted, setWanted] = useState('');
  const [sort, setSort] = useState<ISort | null>(null);
  const [more, setMore] = useState(0);
  const [chosen, setChosen] = useState<string | null>(null);
  const [opened, setOpened] = useState<string | null>(null);

  const columns = profile.columns ?? [];
  const found = sorted(
    columns.filter(column => matches(column.name, wanted)),
    sort
  );
  const shown = found.slice(0, FIRST + more);
  const hidden = found.length - shown.length;
  const current = shown.find(column => column.name === chosen) ?? firstOf(shown);
  const rows = profile.rows ?? 0;
  const detailOf = (column: IProfileColumn): JSX.Element => (
    <Detail column={column} state={state} rows={rows} inPlace={!wide} />
  );

  const move = (event: React.KeyboardEvent<HTMLElement>): void => {
    const at = shown.findIndex(column => column.name === current?.name);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: shown.length - 1 }[event.key];
    // In a picker the arrows change the type.
    if (to === undefined || !(event.target instanceof HTMLButtonElement) || event.altKey) {
      return;
    }
    const next = shown[Math.min(shown.length - 1, Math.max(0, to))];
    if (next && event.target.dataset.column !== undefined) {
      event.preventDefault();
      setChosen(next.name);
      const row = event.currentTarget.querySelectorAll<HTMLElement>('[data-column]');
      [...row].find(button => button.dataset.column === next.name)?.focus();
    }
  };

  return (
    <div
      ref={box}
      className={`jp-pycaret-columns ${wide ? 'jp-pycaret-columns--detail' : 'jp-pycaret-columns--one'}`}
    >
      <section className="jp-pycaret-block">
        <div className="jp-pycaret-toolbar">
          <h3 className="jp-pycaret-block__title">{trans.__('Columns')}</h3>
          <SearchField
            label={trans.__('Find a column')}
            placeholder={trans.__('Find a column')}
            wanted={wanted}
            onChange={setWanted}
          />
          <Changed model={model} state={state} />
          {state.reading || state.comparing ? (
            <span className="jp-pycaret-muted">
              {state.reading ? trans.__('Reading again') : trans.__('Comparing the columns')}
            </span>
          ) : null}
          <AssociationPicker model={model} state={state} columns={columns} />
        </div>
        {shown.length > 0 ? (
          <div className="jp-pycaret-scroll">
            {/* keys bubble up from the buttons in it, which take the focus */}
            {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
            <table
              className="jp-pycaret-table jp-pycaret-profile"
              // said again: `display: grid` takes it away
              role="table"
              aria-label={trans.__('Columns')}
              onKeyDown={move}
            >
              <Widths />
              <HeadRow sort={sort} onSort={setSort} />
              <tbody>
                {shown.map(column => {
                  const open = wide ? column.name === current?.name : column.name === opened;
                  return (
                    <React.Fragment key={column.name}>
                      <ColumnRow
                        column={column}
                        model={model}
                        state={state}
                        rows={rows}
                        open={open}
                        isStop={column.name === current?.name}
                        onFocus={() => setChosen(column.name)}
                        onOpen={() => {
                          setChosen(column.name);
                          setOpened(opened === column.name ? null : column.name);
                        }}
                      />
                      {open && !wide ? (
                        <tr role="row" className="jp-pycaret-profile__more">
                          <td role="cell" colSpan={7}>
                            {detailOf(column)}
                          </td>
                        </tr>
                      ) : null}
                    </React.Fragment>
                  );
                })}
              </tbody>
            </table>
          </div>
        ) : (
          <p className="jp-pycaret-hint">
            {trans.__('No column has “%1” in its name.', wanted.trim())}
          </p>
        )}
        {hidden > 0 ? (
          <div>
            <button
              type="button"
              className="jp-pycaret-button jp-pycaret-button--ghost jp-pycaret-button--small"
              onClick={() => setMore(more + STEP)}
            >
              {trans.__('Show %1 more', formatCount(Math.min(STEP, hidden)))}
            </button>
          </div>
        ) : null}
        <p className="jp-pycaret-hint">
          {trans.__(
            'Bars that touch are ranges of numbers or dates, bars with gaps are levels. Association runs from 0 to 1.'
          )}
        </p>
      </section>
      {wide && current ? detailOf(current) : null}
    </div>
  );
}

/** The column that is looked at before somebody chooses one: the first with cells that were not read. */
function firstOf(columns: ReadonlyArray<IProfileColumn>): IProfileColumn | undefined {
  return (
    columns.find(column => column.unreadable.count > 0) ??
    columns.find(column => column.histogram ?? column.top.length > 1) ??
    columns[0]
  );
}

function sorted(
  columns: ReadonlyArray<IProfileColumn>,
  sort: ISort | null
): ReadonlyArray<IProfileColumn> {
  if (sort === null) {
    return columns;
  }
  const sign = sort.descending ? -1 : 1;
  return [...columns].sort((a, b) => {
    if (sort.key === 'name') {
      return sign * a.name.localeCompare(b.name);
    }
    const [x, y] = [a[sort.key], b[sort.key]];
    // What is not known comes last either way.
    return x === null || y === null ? Number(x === null) - Number(y === null) : sign * (x - y);
  });
}

function Widths(): JSX.Element {
  return (
    <colgroup>
      {/* the names take what the others leave */}
      {[undefined, 104, 96, 60, 64, 152, 118].map((width, index) => (
        <col key={index} style={width === undefined ? undefined : { width }} />
      ))}
    </colgroup>
  );
}

function HeadRow({
  sort,
  onSort
}: {
  readonly sort: ISort | null;
  readonly onSort: (sort: ISort | null) => void;
}): JSX.Element {
  const trans = useTrans();
  /** First the more telling way, then the other one, then the order of the file. */
  const next = (key: SortKey): ISort | null => {
    const first = key !== 'name';
    if (sort?.key !== key) {
      return { key, descending: first };
    }
    return sort.descending === first ? { key, descending: !first } : null;
  };
  const head = (key: SortKey, label: string, className?: string): JSX.Element => (
    <th
      role="columnheader"
      scope="col"
      className={className}
      {...(sort?.key === key
        ? { 'aria-sort': sort.descending ? ('descending' as const) : ('ascending' as const) }
        : {})}
    >
      <button type="button" className="jp-pycaret-table__sort" onClick={() => onSort(next(key))}>
        {label}
        {sort?.key === key ? <Icon name={sort.descending ? 'down' : 'up'} /> : null}
      </button>
    </th>
  );
  return (
    <thead>
      <tr role="row">
        {head('name', trans.__('Column'))}
        <th role="columnheader" scope="col">
          {trans.__('Type')}
        </th>
        <th role="columnheader" scope="col">
          {trans.__('Values')}
        </th>
        {head('missing', trans.__('Missing'), 'jp-pycaret-num')}
        <th role="columnheader" scope="col" className="jp-pycaret-num">
          {trans.__('Distinct')}
        </th>
        <th role="columnheader" scope="col">
          {trans.__('Range or top level')}
        </th>
        {head('association', trans.__('Association'))}
      </tr>
    </thead>
  );
}

/** How many types a person has changed, and the way back. */
function Changed({ model, state }: IPart): JSX.Element | null {
  const trans = useTrans();
  const changed = changedColumns(state).length;
  if (changed === 0) {
    return null;
  }
  return (
    <>
      <span className="jp-pycaret-muted">
        {trans._n(
          '%2 type changed; Train uses it',
          '%2 types changed; Train uses them',
          changed,
          formatCount(changed)
        )}
      </span>
      {state.mayWrite ? (
        <button
          type="button"
          className="jp-pycaret-button jp-pycaret-button--ghost jp-pycaret-button--small"
          aria-label={trans.__('Reset types')}
          onClick={() => void model.resetTypes()}
        >
          {trans.__('Reset')}
        </button>
      ) : null}
    </>
  );
}

/** With which column the others are compared. */
function AssociationPicker({
  model,
  state,
  columns
}: IPart & { readonly columns: ReadonlyArray<IProfileColumn> }): JSX.Element | null {
  const trans = useTrans();
  const types = state.source?.types;
  const offered = columns.filter(
    column => isComparable(column, types) || column.name === state.target
  );
  if (offered.length === 0) {
    return null;
  }
  return (
    <label className="jp-pycaret-toolbar__end">
      <span>{trans.__('Association with')}</span>
      <select
        className="jp-pycaret-select jp-pycaret-select--small jp-pycaret-select--auto jp-pycaret-select--cut"
        value={state.target}
        onChange={event => model.chooseTarget(event.target.value)}
      >
        <option value="">{trans.__('None')}</option>
        {offered.map(column => (
          <option key={column.name} value={column.name}>
            {column.name}
          </option>
        ))}
      </select>
    </label>
  );
}

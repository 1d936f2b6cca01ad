import React, { useId, useState } from 'react';
import { LEFT_OUT, matches, typesFor } from '../common/columns';
import { formatCount } from '../common/format';
import { StatusMark } from '../common/icons';
import { SearchField } from '../common/search';
import { Tag } from '../common/tag';
import { useTrans } from '../common/trans';
import { columnsOf, hasPicker, type IFormColumn } from './columns';
import { Notices } from './noticeList';
import type { IPart } from './part';

/** columns drawn before one has to search for the others */
const MOST = 200;

/**
 * Which columns are used, and as what.
 */
export function ColumnPicker({ model, state }: IPart): JSX.Element | null {
  const trans = useTrans();
  const [wanted, setWanted] = useState('');
  if (!hasPicker(state)) {
    return null;
  }
  const columns = columnsOf(state);
  const found = columns.filter(column => matches(column.name, wanted));
  const shown = found.slice(0, MOST);
  const fault = Object.entries(state.errors).find(([field]) => field.startsWith('column '));
  return (
    <>
      <h3 className="jp-pycaret-form__head">{trans.__('Columns')}</h3>
      <div className="jp-pycaret-form__wide jp-pycaret-stack">
        <div className="jp-pycaret-toolbar">
          <SearchField
            label={trans.__('Find a column')}
            placeholder={trans.__('Find a column')}
            wanted={wanted}
            onChange={setWanted}
          />
          <span className="jp-pycaret-muted">
            <Summary columns={columns} reading={state.reading} />
          </span>
          <div className="jp-pycaret-toolbar__end">
            <button
              type="button"
              className="jp-pycaret-button jp-pycaret-button--ghost jp-pycaret-button--small"
              onClick={() => model.tickAll(true, wanted)}
            >
              {trans.__('Use all')}
            </button>
            <button
              type="button"
              className="jp-pycaret-button jp-pycaret-button--ghost jp-pycaret-button--small"
              onClick={() => model.tickAll(false, wanted)}
            >
              {trans.__('Use none')}
            </button>
          </div>
        </div>
        <Notices model={model} state={state} place="columns" />
        {fault ? (
          <p className="jp-pycaret-form__error jp-pycaret-form__hint">
            <StatusMark status="failed" />
            <span>{fault[1]}</span>
          </p>
        ) : null}
        <div className="jp-pycaret-picker" role="group" aria-label={trans.__('Columns')}>
          <div className="jp-pycaret-picker__list">
            {shown.map(column => (
              <Item key={column.name} model={model} state={state} column={column} />
            ))}
          </div>
          {shown.length === 0 ? (
            <p className="jp-pycaret-hint">
              {trans.__('No column has “%1” in its name.', wanted.trim())}
            </p>
          ) : null}
          {found.length > shown.length ? (
            <p className="jp-pycaret-hint">
              {trans.__('%1 more. Find them by name.', formatCount(found.length - shown.length))}
            </p>
          ) : null}
        </div>
      </div>
    </>
  );
}

function Item({ model, state, column }: IPart & { readonly column: IFormColumn }): JSX.Element {
  const trans = useTrans();
  const id = useId();
  const { name, type, detected, isChanged, isUsed, unreadable } = column;
  const fault = state.errors[`column ${name}`];
  const leak = state.profile?.notices?.some(
    notice => notice.column === name && notice.code.startsWith('leak')
  );
  return (
    <div className={`jp-pycaret-picker__item${isUsed ? '' : ' jp-pycaret-picker__item--out'}`}>
      <label className="jp-pycaret-check" htmlFor={id}>
        <input
          id={id}
          type="checkbox"
          aria-label={name}
          checked={isUsed}
          onChange={event => model.tick(name, event.target.checked)}
        />
        <span className="jp-pycaret-clip" title={name}>
          {name}
        </span>
        {isChanged && detected ? <Tag>{trans.__('was %1', detected)}</Tag> : null}
        {!isUsed && LEFT_OUT.has(type) ? <Tag>{reasonOf(type, trans)}</Tag> : null}
        {unreadable > 0 ? (
          <Tag warns>{trans.__('%1 unreadable', formatCount(unreadable))}</Tag>
        ) : null}
        {leak ? <Tag warns>{trans.__('leak suspect')}</Tag> : null}
      </label>
      <select
        className="jp-pycaret-select jp-pycaret-select--small"
        aria-label={trans.__('Type of %1', name)}
        aria-invalid={fault ? true : undefined}
        value={type}
        onChange={event => model.setType(name, event.target.value)}
      >
        {typesFor(detected, type).map(one => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </div>
  );
}

/** Why a column is left out until somebody ticks it. */
function reasonOf(type: string, trans: ReturnType<typeof useTrans>): string {
  const reasons: Readonly<Record<string, string>> = {
    identifier: trans.__('all different'),
    constant: trans.__('constant'),
    empty: trans.__('empty')
  };
  return reasons[type] ?? type;
}

/** `12 of 14 used, 2 left out, 1 type changed` */
function Summary({
  columns,
  reading
}: {
  readonly columns: ReadonlyArray<IFormColumn>;
  readonly reading: boolean;
}): JSX.Element {
  const trans = useTrans();
  const used = columns.filter(column => column.isUsed).length;
  const changed = columns.filter(column => column.isChanged).length;
  const out = columns.length - used;
  const parts = [trans.__('%1 of %2 used', formatCount(used), formatCount(columns.length))];
  if (out > 0) {
    parts.push(trans.__('%1 left out', formatCount(out)));
  }
  if (changed > 0) {
    const count = formatCount(changed);
    parts.push(trans._n('%2 type changed', '%2 types changed', changed, count));
  }
  if (reading) {
    parts.push(trans.__('types may change: all rows are being read'));
  }
  return <>{parts.join(', ')}</>;
}

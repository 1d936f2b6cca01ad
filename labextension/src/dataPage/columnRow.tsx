import React from 'react';
import type { IProfileColumn } from '../api/data';
import { detectedType, isChanged, LEFT_OUT, typeOf, typesFor } from '../common/columns';
import { formatCount, formatShare, MISSING } from '../common/format';
import { Tag } from '../common/tag';
import { useTrans } from '../common/trans';
import type { IPart } from './part';
import { rangeOf, tagsOf } from './words';
import { Shape } from './shape';

/**
 * One column: its name with what was noticed, its type, and its values in a few figures.
 */
export function ColumnRow({
  column,
  model,
  state,
  rows,
  open,
  isStop,
  onFocus,
  onOpen
}: IPart & {
  readonly column: IProfileColumn;
  readonly rows: number;
  readonly open: boolean;
  /** whether Tab leads to this row */
  readonly isStop: boolean;
  readonly onFocus: () => void;
  readonly onOpen: () => void;
}): JSX.Element {
  const trans = useTrans();
  const { name, missing, distinct, association } = column;
  const { source, profile, target, mayWrite } = state;
  const type = typeOf(column, source?.types);
  const detected = detectedType(column);
  const changed = isChanged(column, source?.types);
  const stop = isStop ? 0 : -1;
  const classes = [
    'jp-pycaret-profile__row',
    open ? 'jp-pycaret-profile__row--open' : '',
    LEFT_OUT.has(type) ? 'jp-pycaret-profile__row--out' : ''
  ];
  return (
    <tr role="row" className={classes.filter(Boolean).join(' ')} onFocus={onFocus}>
      <td role="cell">
        <div className="jp-pycaret-profile__name">
          <button
            type="button"
            className="jp-pycaret-row__title jp-pycaret-clip"
            title={name}
            data-column={name}
            aria-expanded={open}
            tabIndex={stop}
            onClick={onOpen}
          >
            {name}
          </button>
          {name === target ? <Tag>{trans.__('target')}</Tag> : null}
          {changed && detected ? <Tag>{trans.__('was %1', detected)}</Tag> : null}
          {tagsOf(column, type, profile?.notices ?? [], trans).map(tag => (
            <Tag key={tag.text} warns={tag.warns}>
              {tag.text}
            </Tag>
          ))}
          {changed && mayWrite ? (
            <button
              type="button"
              className="jp-pycaret-button jp-pycaret-button--ghost jp-pycaret-button--small"
              aria-label={trans.__('Undo type of %1', name)}
              tabIndex={stop}
              onClick={event => {
                // The button goes: the focus stays in its row.
                event.currentTarget.closest('tr')?.querySelector('select')?.focus();
                void model.undoType(name);
              }}
            >
              {trans.__('Undo')}
            </button>
          ) : null}
        </div>
      </td>
      <td role="cell">
        {mayWrite ? (
          <select
            className="jp-pycaret-select jp-pycaret-select--small"
            aria-label={trans.__('Type of %1', name)}
            tabIndex={stop}
            value={type}
            onChange={event => void model.setType(name, event.target.value)}
          >
            {typesFor(detected, type).map(one => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        ) : (
          type
        )}
      </td>
      <td role="cell">
        <Shape column={column} />
      </td>
      <td role="cell" className="jp-pycaret-num">
        {missing > 0 ? (
          formatShare(missing, rows)
        ) : (
          <span className="jp-pycaret-muted">{formatShare(0, rows)}</span>
        )}
      </td>
      <td role="cell" className="jp-pycaret-num">
        {formatCount(distinct)}
      </td>
      <td role="cell">
        <Range text={rangeOf(column, rows, trans)} />
      </td>
      <td role="cell">
        {association === null ? (
          <span className="jp-pycaret-muted">{MISSING}</span>
        ) : (
          <div className="jp-pycaret-share">
            <div className="jp-pycaret-bar">
              <span
                className="jp-pycaret-bar__fill"
                style={{ width: `${100 * Math.min(1, association)}%` }}
              />
            </div>
            <span className="jp-pycaret-num">{association.toFixed(2)}</span>
          </div>
        )}
      </td>
    </tr>
  );
}

function Range({ text }: { readonly text: string }): JSX.Element {
  return (
    <div className="jp-pycaret-clip" title={text}>
      {text === MISSING ? <span className="jp-pycaret-muted">{text}</span> : text}
    </div>
  );
}

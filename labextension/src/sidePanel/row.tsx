import React, { createContext, useContext, useId, useLayoutEffect, useRef, useState } from 'react';
import { Clip } from '../common/clip';
import { Icon } from '../common/icons';
import { useDelete } from './context';
import { useSight } from './useSight';

export interface IListRow {
  readonly id: string;
  readonly draw: () => React.ReactNode;
}

/**
 * Rows of a region: arrows move between them, Tab reaches the action of the current one.
 *
 * However many there are, only those in sight are in the page, and the one that Tab leads to.
 */
export function RowList({ rows }: { readonly rows: ReadonlyArray<IListRow> }): JSX.Element {
  const list = useRef<HTMLUListElement>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const ids = rows.map(row => row.id);
  const at = Math.max(0, chosen === null ? 0 : ids.indexOf(chosen));
  const pieces = useSight(list, '.jp-pycaret-panel__regions', ids, at);

  // A row that an arrow leads to may have to be drawn before it can take the focus.
  const next = useRef<string | null>(null);
  const follow = (): void => {
    const id = next.current;
    const row = [...(list.current?.children ?? [])].find(
      (child): child is HTMLElement => child instanceof HTMLElement && child.dataset.row === id
    );
    if (id !== null && row) {
      next.current = null;
      row.focus();
    }
  };
  useLayoutEffect(follow);

  const move = (event: React.KeyboardEvent<HTMLUListElement>): void => {
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: ids.length - 1 }[event.key];
    if (to === undefined || event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    event.preventDefault();
    next.current = ids[Math.min(ids.length - 1, Math.max(0, to))] ?? null;
    setChosen(next.current);
    follow();
  };

  return (
    <CurrentRow.Provider
      value={{
        current: ids[at] ?? null,
        choose: setChosen,
        placeOf: id => ids.indexOf(id) + 1,
        size: ids.length
      }}
    >
      {/* keys bubble up from the rows, which take the focus */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <ul role="list" ref={list} className="jp-pycaret-section__list" onKeyDown={move}>
        {pieces.map((piece, place) =>
          piece.index === undefined ? (
            <li key={`gap ${place}`} role="presentation" style={{ height: piece.gap }} />
          ) : (
            <React.Fragment key={ids[piece.index]}>{rows[piece.index]?.draw()}</React.Fragment>
          )
        )}
      </ul>
    </CurrentRow.Provider>
  );
}

const CurrentRow = createContext<{
  readonly current: string | null;
  readonly choose: (id: string) => void;
  readonly placeOf: (id: string) => number;
  readonly size: number;
}>({ current: null, choose: () => undefined, placeOf: () => 0, size: 0 });

export interface IRowAction {
  /** what the button reads; it may be shorter than its name */
  readonly word: string;
  readonly name: string;
  readonly run: () => void;
  /** the action is under way, or the server cannot be asked */
  readonly off?: boolean;
}

export interface IRowProps {
  readonly id: string;
  readonly mark: React.ReactNode;
  readonly title: string;
  readonly small?: string;
  readonly action?: IRowAction | null;
  /** a second action, drawn as an icon while the row is pointed at or has the focus */
  readonly second?: IRowAction | null;
  /** opens what the row stands for: by its title, and by Enter on the row */
  readonly open?: (() => void) | null;
  readonly fresh?: boolean;
  /** what it opens stands in front in the main area */
  readonly shown?: boolean;
  /** the lines below the title */
  readonly children?: React.ReactNode;
}

/**
 * One row: a mark, its title with the next action, and lines below.
 */
export function Row(props: IRowProps): JSX.Element {
  const { id, mark, title, small, action, second, open, fresh, shown, children } = props;
  const { current, choose, placeOf, size } = useContext(CurrentRow);
  const askToDelete = useDelete();
  const titleId = useId();
  const row = useRef<HTMLLIElement>(null);
  const stop = id === current ? 0 : -1;
  const offers = action !== null && action !== undefined;

  // An action that goes while it has the focus leaves the focus with its row.
  const held = useRef(false);
  useLayoutEffect(() => {
    if (!offers && held.current) {
      held.current = false;
      if (document.activeElement === document.body) {
        row.current?.focus();
      }
    }
  }, [offers]);

  return (
    // A list item is no control; it takes the focus so that arrows can move between rows.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <li
      ref={row}
      className={`jp-pycaret-row${fresh ? ' jp-pycaret-row--new' : ''}${shown ? ' jp-pycaret-row--selected' : ''}`}
      aria-current={shown ? true : undefined}
      data-row={id}
      aria-labelledby={titleId}
      aria-posinset={placeOf(id)}
      aria-setsize={size}
      tabIndex={stop}
      onFocus={() => choose(id)}
      onKeyDown={event => {
        if (event.key === 'Delete') {
          event.preventDefault();
          askToDelete(id);
        } else if (event.key === 'Enter' && open && event.target === event.currentTarget) {
          event.preventDefault();
          open();
        }
      }}
    >
      <span className="jp-pycaret-row__mark">{mark}</span>
      <div className="jp-pycaret-row__line">
        <Title id={titleId} title={title} small={small} open={open} />
        {second ? (
          <button
            type="button"
            className="jp-pycaret-button jp-pycaret-button--icon jp-pycaret-row__second"
            aria-label={second.name}
            aria-describedby={titleId}
            title={second.word}
            disabled={second.off}
            tabIndex={stop}
            onClick={second.run}
          >
            <Icon name="bin" />
          </button>
        ) : null}
        {offers ? (
          <button
            type="button"
            className="jp-pycaret-button jp-pycaret-button--ghost jp-pycaret-button--small"
            aria-label={action.name}
            aria-describedby={titleId}
            aria-disabled={action.off ? true : undefined}
            tabIndex={stop}
            onFocus={() => {
              held.current = true;
            }}
            onBlur={() => {
              held.current = false;
            }}
            onClick={() => {
              if (!action.off) {
                action.run();
              }
            }}
          >
            {action.word}
          </button>
        ) : null}
      </div>
      {children}
    </li>
  );
}

function Title({
  id,
  title,
  small,
  open
}: {
  readonly id: string;
  readonly title: string;
  readonly small: string | undefined;
  readonly open: (() => void) | null | undefined;
}): JSX.Element {
  const words = (
    <>
      {title}
      {small ? (
        <>
          {' '}
          <small>{small}</small>
        </>
      ) : null}
    </>
  );
  const full = small ? `${title} ${small}` : title;
  return open ? (
    // The row itself is the stop for the keyboard, and Enter on it does the same.
    <button
      type="button"
      id={id}
      className="jp-pycaret-row__title jp-pycaret-clip"
      title={full}
      tabIndex={-1}
      onClick={open}
    >
      {words}
    </button>
  ) : (
    <span
      id={id}
      className="jp-pycaret-row__title jp-pycaret-row__title--still jp-pycaret-clip"
      title={full}
    >
      {words}
    </span>
  );
}

/**
 * A line of a row: words left, a value right.
 */
export function RowLine({
  children,
  value,
  wraps
}: {
  readonly children: React.ReactNode;
  readonly value?: React.ReactNode;
  readonly wraps?: boolean;
}): JSX.Element {
  return (
    <div className="jp-pycaret-row__line">
      {wraps ? (
        <span className="jp-pycaret-row__meta jp-pycaret-row__meta--reason">{children}</span>
      ) : (
        <Clip className="jp-pycaret-row__meta">{children}</Clip>
      )}
      {value === undefined ? null : <span className="jp-pycaret-row__value">{value}</span>}
    </div>
  );
}

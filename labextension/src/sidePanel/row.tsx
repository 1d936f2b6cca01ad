import React, { createContext, useContext, useEffect, useId, useRef, useState } from 'react';
import { Icon } from '../common/icons';

/**
 * Rows of a region: arrows move between them, Tab reaches the action of the current one.
 */
export function RowList({
  ids,
  children
}: {
  /** the rows in their order */
  readonly ids: ReadonlyArray<string>;
  readonly children: React.ReactNode;
}): JSX.Element {
  const [chosen, setChosen] = useState<string | null>(null);
  const current = chosen !== null && ids.includes(chosen) ? chosen : (ids[0] ?? null);

  const move = (event: React.KeyboardEvent<HTMLUListElement>): void => {
    const rows = [...event.currentTarget.children].filter(
      (child): child is HTMLElement => child instanceof HTMLElement
    );
    const here = rows.findIndex(row => row.contains(document.activeElement));
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to === undefined || event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    event.preventDefault();
    rows[Math.min(rows.length - 1, Math.max(0, to))]?.focus();
  };

  return (
    <CurrentRow.Provider value={{ current, choose: setChosen }}>
      {/* keys bubble up from the rows, which take the focus */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <ul role="list" className="jp-pycaret-section__list" onKeyDown={move}>
        {children}
      </ul>
    </CurrentRow.Provider>
  );
}

const CurrentRow = createContext<{
  readonly current: string | null;
  readonly choose: (id: string) => void;
}>({ current: null, choose: () => undefined });

export interface IRowAction {
  /** what the button reads; it may be shorter than its name */
  readonly word: string;
  readonly name: string;
  readonly run: () => void;
  /** the action is under way, or the server cannot be asked */
  readonly off?: boolean;
  /** the Delete key on the row asks for it, too */
  readonly deletes?: boolean;
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
  /** the lines below the title */
  readonly children?: React.ReactNode;
}

/**
 * One row: a mark, its title with the next action, and lines below.
 */
export function Row(props: IRowProps): JSX.Element {
  const { id, mark, title, small, action, second, open, fresh, children } = props;
  const { current, choose } = useContext(CurrentRow);
  const titleId = useId();
  const row = useRef<HTMLLIElement>(null);
  const stop = id === current ? 0 : -1;
  const offers = action !== null && action !== undefined;

  // An action that goes while it has the focus leaves the focus with its row.
  const held = useRef(false);
  useEffect(() => {
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
      className={`jp-pycaret-row${fresh ? ' jp-pycaret-row--new' : ''}`}
      aria-labelledby={titleId}

      tabIndex={stop}
      onFocus={() => choose(id)}
      onKeyDown={event => {
        const deletes = [action, second].find(one => one?.deletes && !one.off);
        if (event.key === 'Delete' && deletes) {
          event.preventDefault();
          deletes.run();
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
  const shape = wraps ? 'jp-pycaret-row__meta--reason' : 'jp-pycaret-clip';
  return (
    <div className="jp-pycaret-row__line">
      <span className={`jp-pycaret-row__meta ${shape}`}>{children}</span>
      {value === undefined ? null : <span className="jp-pycaret-row__value">{value}</span>}
    </div>
  );
}

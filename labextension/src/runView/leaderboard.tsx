import React, { useEffect, useRef, useState } from 'react';
import type { ILeaderboardRow } from '../api/rows';
import { formatCount, formatEnd, formatScore, MISSING } from '../common/format';
import { Icon, StatusMark } from '../common/icons';
import { useTrans } from '../common/trans';
import { isUnfinished } from '../sidePanel/state';
import { shownMetric } from './model';
import { type IRunState, isScore, metricsOf, sorted, valueOf } from './state';
import { FoldStrip, rangeOf } from './strip';

/** rows drawn at first: a live board shows more, an ended one gives way to plots */
const LIVE = 30;
const ENDED = 8;
const STEP = 50;
/** metrics drawn beside the ranking one */
const BESIDE = 8;
/** ms for which a new row is lit */
const LIT = 1200;

interface ISort {
  readonly column: string;
  readonly descending: boolean;
}

/**
 * Scored models, best first; then what is being fitted, what failed, and what waits.
 */
export function Leaderboard({ state }: { readonly state: IRunState }): JSX.Element {
  const trans = useTrans();
  const metric = shownMetric(state);
  const score = isScore(state.metrics, metric);
  const [chosen, setChosen] = useState<ISort | null>(null);
  const ended = state.run !== null && !isUnfinished(state.run);
  const [more, setMore] = useState(0);
  const { inside, handlers } = useInside();

  const columns = metricsOf(state.rows, metric);
  const sort = chosen ?? { column: metric ?? '', descending: score };
  const rows = useHeld(
    chosen || metric !== null ? sorted(state.rows, sort.column, sort.descending) : state.rows,
    inside && chosen === null && !ended
  );
  const limit = (ended ? ENDED : LIVE) + more;
  const drawn = rows.slice(0, limit);
  const failed = ended && more === 0 ? [] : state.failed.slice(0, limit);
  const hidden = rows.length - drawn.length + state.failed.length - failed.length;
  const beside = columns.slice(1, 1 + BESIDE);
  const known = new Set([
    ...state.rows.map(row => row.model_id),
    ...state.failed.map(one => one.model_id),
    ...(state.fitting ? [state.fitting.model_id] : [])
  ]);
  const waiting = ended ? [] : state.candidates.filter(id => !known.has(id));
  const fresh = useFresh(state.rows);
  const best = state.rows[0]?.model_id;
  const range = rangeOf(state.rows);
  const largest = Math.max(...state.rows.map(row => Math.abs(valueOf(row, metric ?? '') ?? 0)), 0);
  const span = beside.length + 1;

  const sortBy = (column: string, descending: boolean): void =>
    setChosen(
      sort.column === column ? { column, descending: !sort.descending } : { column, descending }
    );
  const head = (column: string, label: string, descending: boolean): JSX.Element => (
    <th
      key={column}
      scope="col"
      className="jp-pycaret-num"
      {...(sort.column === column
        ? { 'aria-sort': sort.descending ? ('descending' as const) : ('ascending' as const) }
        : {})}
    >
      <button
        type="button"
        className="jp-pycaret-table__sort"
        onClick={() => sortBy(column, descending)}
      >
        {label}
        {sort.column === column ? <Icon name={sort.descending ? 'down' : 'up'} /> : null}
      </button>
    </th>
  );

  return (
    <section className="jp-pycaret-block">
      <div className="jp-pycaret-block__head">
        <h3 className="jp-pycaret-block__title">{trans.__('Leaderboard')}</h3>
        {metric === null ? null : (
          <span className="jp-pycaret-block__aside jp-pycaret-block__aside--long">
            {score
              ? trans.__('%1, higher is better · bars start at 0, folds are zoomed', metric)
              : trans.__('%1, lower is better · bars start at 0, folds are zoomed', metric)}
          </span>
        )}
      </div>
      <div
        className="jp-pycaret-scroll"
        role="region"
        aria-label={trans.__('Models and their scores')}
        // It scrolls sideways: without a stop the keyboard could not.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        {...handlers}
      >
        <table
          className="jp-pycaret-table jp-pycaret-leaderboard"
          aria-label={trans.__('Leaderboard')}
        >
          <colgroup>
            {[28, 172, 124, 136, ...beside.map(() => 60), 70].map((width, index) => (
              <col key={index} style={{ width }} />
            ))}
          </colgroup>
          <thead>
            <tr>
              <th scope="col" className="jp-pycaret-num">
                <abbr className="jp-pycaret-plain" title={trans.__('Rank')}>
                  #
                </abbr>
              </th>
              <th scope="col">{trans.__('Model')}</th>
              {metric === null ? (
                <th scope="col" className="jp-pycaret-num">
                  {trans.__('Score')}
                </th>
              ) : (
                head(metric, metric, score)
              )}
              <th scope="col">
                <span className="jp-pycaret-leaderboard__ends">
                  <span>{range ? formatEnd(range.low) : ''}</span>
                  <span>{trans.__('Folds')}</span>
                  <span>{range ? formatEnd(range.high) : ''}</span>
                </span>
              </th>
              {beside.map(name => head(name, name, isScore(state.metrics, name)))}
              {head('seconds', trans.__('Seconds'), false)}
            </tr>
          </thead>
          <tbody>
            {drawn.map(row => (
              <Scored
                key={row.model_id}
                row={row}
                rank={state.rows.findIndex(one => one.model_id === row.model_id) + 1}
                best={row.model_id === best}
                fresh={fresh.has(row.model_id)}
                metric={metric}
                beside={beside}
                share={
                  largest > 0
                    ? Math.max(0, valueOf(row, metric ?? '') ?? 0) /
                      Math.max(largest, score && largest <= 1 ? 1 : largest)
                    : 0
                }
                strip={
                  range ? (
                    <FoldStrip row={row} mean={valueOf(row, metric ?? '')} range={range} />
                  ) : null
                }
              />
            ))}
            {state.fitting && !ended ? <Fitting state={state} span={span} /> : null}
            {failed.map(one => (
              <tr key={one.model_id}>
                <td className="jp-pycaret-num">
                  <StatusMark status="failed" />
                </td>
                <td className="jp-pycaret-leaderboard__model">
                  <div className="jp-pycaret-clip">{state.names[one.model_id] ?? one.model_id}</div>
                </td>
                <td colSpan={2 + span}>
                  <div className="jp-pycaret-clip" title={one.error}>
                    {trans.__('Failed · %1', one.error)}
                  </div>
                </td>
              </tr>
            ))}
            {waiting.length > 0 ? (
              <tr className="jp-pycaret-leaderboard__row--quiet">
                <td className="jp-pycaret-num">
                  <StatusMark status="queued" />
                </td>
                <td colSpan={3 + span}>
                  <div className="jp-pycaret-clip">
                    {trans.__(
                      '%1 waiting: %2',
                      formatCount(waiting.length),
                      waiting.map(id => state.names[id] ?? id).join(', ')
                    )}
                  </div>
                </td>
              </tr>
            ) : null}
            {hidden > 0 ? (
              <tr className="jp-pycaret-leaderboard__row--quiet">
                <td />
                <td colSpan={3 + span}>
                  <button
                    type="button"
                    className="jp-pycaret-button jp-pycaret-button--ghost jp-pycaret-button--small"
                    onClick={() => setMore(more + STEP)}
                  >
                    {failed.length < state.failed.length
                      ? trans.__(
                          'Show %1 more, %2 of them failed',
                          formatCount(hidden),
                          formatCount(state.failed.length - failed.length)
                        )
                      : trans.__('Show %1 more', formatCount(hidden))}
                  </button>
                </td>
              </tr>
            ) : null}
            {rows.length + state.failed.length + waiting.length === 0 && !state.fitting ? (
              <tr className="jp-pycaret-leaderboard__row--quiet">
                <td />
                <td colSpan={3 + span}>
                  {ended
                    ? trans.__('No model was scored.')
                    : trans.__('The first model comes soon.')}
                </td>
              </tr>
            ) : null}
          </tbody>
        </table>
      </div>
    </section>
  );
}

interface IScoredProps {
  readonly row: ILeaderboardRow;
  readonly rank: number;
  readonly best: boolean;
  readonly fresh: boolean;
  readonly metric: string | null;
  readonly beside: ReadonlyArray<string>;
  readonly share: number;
  readonly strip: JSX.Element | null;
}

function Scored(props: IScoredProps): JSX.Element {
  const { row, rank, best, fresh, metric, beside, share, strip } = props;
  const seconds = row.seconds;
  const block = 'jp-pycaret-leaderboard__row';
  return (
    <tr className={`${best ? `${block}--best` : block}${fresh ? ` ${block}--new` : ''}`}>
      <td className="jp-pycaret-num">{rank}</td>
      <td className="jp-pycaret-leaderboard__model">
        <div className="jp-pycaret-clip" title={row.name}>
          {row.name}
        </div>
      </td>
      <td>
        <div className="jp-pycaret-leaderboard__score">
          <div className="jp-pycaret-bar">
            <span
              className="jp-pycaret-bar__fill"
              style={{ width: `${(100 * Math.min(1, share)).toFixed(1)}%` }}
            />
          </div>
          <span className="jp-pycaret-num">{formatScore(valueOf(row, metric ?? ''))}</span>
        </div>
      </td>
      <td>{strip}</td>
      {beside.map(name => (
        <td key={name} className="jp-pycaret-num">
          {formatScore(valueOf(row, name))}
        </td>
      ))}
      <td className="jp-pycaret-num">
        {typeof seconds === 'number' ? seconds.toFixed(1) : MISSING}
      </td>
    </tr>
  );
}

function Fitting({
  state,
  span
}: {
  readonly state: IRunState;
  readonly span: number;
}): JSX.Element | null {
  const trans = useTrans();
  const { fitting } = state;
  if (!fitting) {
    return null;
  }
  const { fold, folds, name } = fitting;
  const done = fold === null ? 0 : fold - 1;
  const counts = fold !== null && folds !== null;
  return (
    <tr className="jp-pycaret-leaderboard__row--running">
      <td className="jp-pycaret-num">
        <StatusMark status="running" />
      </td>
      <td className="jp-pycaret-leaderboard__model">
        <div className="jp-pycaret-clip jp-pycaret-leaderboard__pulse">{name}</div>
      </td>
      <td>
        {counts ? (
          <div className="jp-pycaret-leaderboard__score">
            <div className="jp-pycaret-progress" aria-hidden="true">
              <div
                className="jp-pycaret-progress__fill"
                style={{ width: `${(100 * done) / folds}%` }}
              />
            </div>
            <span className="jp-pycaret-num jp-pycaret-muted">{`${done} / ${folds}`}</span>
          </div>
        ) : null}
      </td>
      {/* Folds have no values yet: the words take their place, for a first model has no other columns. */}
      <td colSpan={1 + span} className="jp-pycaret-muted">
        {counts
          ? trans.__('Running · fold %1 of %2', String(fold), String(folds))
          : trans.__('Running')}
      </td>
    </tr>
  );
}

/** Whether pointer or focus is inside: rows then keep their place. */
function useInside(): {
  readonly inside: boolean;
  readonly handlers: Pick<
    React.HTMLAttributes<HTMLElement>,
    'onPointerEnter' | 'onPointerLeave' | 'onFocus' | 'onBlur'
  >;
} {
  const [pointed, setPointed] = useState(false);
  const [focused, setFocused] = useState(false);
  return {
    inside: pointed || focused,
    handlers: {
      onPointerEnter: () => setPointed(true),
      onPointerLeave: () => setPointed(false),
      onFocus: () => setFocused(true),
      onBlur: event => setFocused(event.currentTarget.contains(event.relatedTarget))
    }
  };
}

/** The rows in the order that they had, new ones below, while `held`. */
function useHeld(
  rows: ReadonlyArray<ILeaderboardRow>,
  held: boolean
): ReadonlyArray<ILeaderboardRow> {
  const order = useRef<ReadonlyArray<string>>([]);
  let shown = rows;
  if (held) {
    const places = new Map(order.current.map((id, index) => [id, index]));
    const place = (row: ILeaderboardRow) => places.get(row.model_id) ?? places.size;
    shown = [...rows].sort((a, b) => place(a) - place(b));
  }
  order.current = shown.map(row => row.model_id);
  return shown;
}

const NONE: ReadonlySet<string> = new Set();

/** The models whose rows have just come; those that were there at first are not new. */
function useFresh(rows: ReadonlyArray<ILeaderboardRow>): ReadonlySet<string> {
  const [fresh, setFresh] = useState(NONE);
  const known = useRef(new Set(rows.map(row => row.model_id)));
  const timers = useRef(new Set<number>());
  useEffect(() => {
    const came = rows.map(row => row.model_id).filter(id => !known.current.has(id));
    if (came.length === 0) {
      return;
    }
    came.forEach(id => known.current.add(id));
    setFresh(lit => new Set([...lit, ...came]));
    const timer = window.setTimeout(() => {
      timers.current.delete(timer);
      setFresh(lit => new Set([...lit].filter(id => !came.includes(id))));
    }, LIT);
    timers.current.add(timer);
  }, [rows]);
  useEffect(() => {
    const running = timers.current;
    return () => running.forEach(timer => window.clearTimeout(timer));
  }, []);
  return fresh;
}

import React, { useState } from 'react';
import { formatCount, formatEnd } from '../common/format';
import { Icon } from '../common/icons';
import { useTrans } from '../common/trans';
import type { ILeaderboardRow } from '../api/rows';
import { isUnfinished } from '../sidePanel/state';
import { Failed, Fitting, Kept, Scored, Waiting } from './leaderboardRows';
import { type RunModel, shownMetric } from './model';
import { useFresh, useHeld, useInside } from './order';
import { barOf, decimalsOf, foldRange, textOf } from './cells';
import {
  baselineOf,
  canKeep,
  greaterIsBetter,
  type IRunState,
  metricsOf,
  sorted,
  valueOf
} from './state';
import { FoldStrip } from './strip';

/** rows drawn at first: a live board shows more, an ended one gives way to plots */
const LIVE = 30;
const ENDED = 8;
const STEP = 50;
/** metrics drawn beside the ranking one */
const BESIDE = 10;
/** metrics with a long name, as their heading has it */
const SHORT_NAMES: Readonly<Record<string, string>> = { 'Balanced Accuracy': 'Bal. acc.' };

function shortOf(metric: string): string {
  return SHORT_NAMES[metric] ?? metric;
}

/** letters of a metric that a narrow column has room for */
const SHORT = 8;

interface ISort {
  readonly column: string;
  readonly descending: boolean;
}

/**
 * Scored models, best first; then what is being fitted, what failed, and what waits.
 */
export function Leaderboard({
  model,
  state
}: {
  readonly model: RunModel;
  readonly state: IRunState;
}): JSX.Element {
  const trans = useTrans();
  const metric = shownMetric(state);
  const score = greaterIsBetter(state, metric);
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
  const first = (ended ? ENDED : LIVE) + more;
  // A row that says that there is one more takes the place of that one.
  const limit = rows.length === first + 1 ? first + 1 : first;
  const drawn = rows.slice(0, limit);
  const failed = ended && more === 0 ? [] : state.failed.slice(0, limit);
  const hidden = rows.length - drawn.length + state.failed.length - failed.length;
  const beside = columns.slice(1, 1 + BESIDE);
  const known = new Set([
    ...state.rows.map(row => row.model_id),
    ...state.failed.map(one => one.model_id),
    ...state.fitting.map(one => one.model_id)
  ]);
  const waiting = ended ? [] : state.candidates.filter(id => !known.has(id));
  const fresh = useFresh(state.rows);
  const best = state.rows[0]?.model_id;
  const range = foldRange(state.rows);
  const decimals = new Map(columns.map(name => [name, decimalsOf(state.rows, name)]));
  const written = (row: ILeaderboardRow, name: string): string =>
    textOf(valueOf(row, name), decimals.get(name) ?? 4);
  const keeps = canKeep(state);
  const hasKept = ended && (keeps || state.rows.some(row => row.kept));
  const span = beside.length + (hasKept ? 2 : 1);
  const baseline = baselineOf(state);
  // On the board only where it was included; else it is the last row, whatever its score.
  const apart = state.rows.some(row => row.baseline) ? null : baseline;
  const compared = apart ? [...state.rows, apart] : state.rows;
  const tick = baseline && metric !== null ? barOf(baseline, compared, metric, score) : null;

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
        {shortOf(label) === label ? (
          label
        ) : (
          <abbr className="jp-pycaret-plain" title={label}>
            {shortOf(label)}
          </abbr>
        )}
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
              ? trans.__('%1, higher is better', metric)
              : trans.__('%1, lower is better', metric)}
            {tick === null
              ? trans.__(' · bars start at 0, folds are zoomed')
              : trans.__(' · bars start at 0, the tick in a bar is the baseline, folds are zoomed')}
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
            {[
              ...[28, 172, 124, 136],
              ...beside.map(name => (shortOf(name).length > SHORT ? 84 : 60)),
              66,
              ...(hasKept ? [86] : [])
            ].map((width, index) => (
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
              {beside.map(name => head(name, name, greaterIsBetter(state, name)))}
              {head('seconds', trans.__('Seconds'), false)}
              {hasKept ? <td className="jp-pycaret-leaderboard__keep" /> : null}
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
                written={written}
                bar={barOf(row, compared, metric, score)}
                tick={tick}
                strip={
                  range ? (
                    <FoldStrip row={row} mean={valueOf(row, metric ?? '')} range={range} />
                  ) : null
                }
                kept={
                  hasKept ? (
                    <Kept
                      row={row}
                      since={state.keeping[row.model_id]}
                      keep={keeps && !row.baseline ? () => void model.keep(row.model_id) : null}
                    />
                  ) : null
                }
              />
            ))}
            {ended
              ? null
              : state.fitting.map(one => <Fitting key={one.model_id} fitting={one} span={span} />)}
            {apart ? (
              <Scored
                row={apart}
                rank={null}
                best={false}
                fresh={false}
                metric={metric}
                beside={beside}
                written={written}
                bar={barOf(apart, compared, metric, score)}
                tick={tick}
                strip={null}
                kept={hasKept ? <td className="jp-pycaret-leaderboard__keep" /> : null}
              />
            ) : null}
            {failed.map(one => (
              <Failed key={one.model_id} failed={one} name={one.name} span={span} />
            ))}
            {waiting.length > 0 ? (
              <Waiting names={waiting.map(id => state.names[id] ?? id)} span={span} />
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
            {rows.length + state.failed.length + waiting.length === 0 &&
            state.fitting.length === 0 ? (
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

import React from 'react';
import type { ILeaderboardRow } from '../api/rows';
import { Clip } from '../common/clip';
import { formatCount, formatSpan, MISSING } from '../common/format';
import { Icon, StatusMark } from '../common/icons';
import { useTrans } from '../common/trans';
import { useNow } from '../common/useNow';
import type { IFailedModel, IFitting } from './state';

export interface IScoredProps {
  readonly row: ILeaderboardRow;
  /** its place; null for the baseline, which is no candidate */
  readonly rank: number | null;
  readonly best: boolean;
  readonly fresh: boolean;
  readonly metric: string | null;
  readonly beside: ReadonlyArray<string>;
  /** the value of a column as text */
  readonly written: (row: ILeaderboardRow, column: string) => string;
  /** percent */
  readonly bar: number;
  /** where the bar of the baseline ends, in percent; null without a baseline */
  readonly tick: number | null;
  readonly strip: JSX.Element | null;
  /** the cell that says whether it is kept; null where there is no such column */
  readonly kept: JSX.Element | null;
}

/** A model that was scored. */
export function Scored(props: IScoredProps): JSX.Element {
  const { row, rank, best, fresh, metric, beside, written, bar, tick, strip, kept } = props;
  const trans = useTrans();
  const seconds = row.seconds;
  const block = 'jp-pycaret-leaderboard__row';
  return (
    <tr
      className={[
        best ? `${block}--best` : row.baseline ? `${block}--baseline` : block,
        ...(fresh ? [`${block}--new`] : [])
      ].join(' ')}
    >
      <td className="jp-pycaret-num">{rank ?? MISSING}</td>
      <td className="jp-pycaret-leaderboard__model">
        {row.baseline ? (
          <div className="jp-pycaret-leaderboard__baseline">
            <Clip>{row.name}</Clip>
            <span className="jp-pycaret-tag">{trans.__('baseline')}</span>
          </div>
        ) : (
          <div className="jp-pycaret-clip" title={row.name}>
            {row.name}
          </div>
        )}
      </td>
      <td>
        <div className="jp-pycaret-leaderboard__score">
          <div
            className={`jp-pycaret-bar${tick === null ? '' : ' jp-pycaret-bar--baseline'}`}
            style={
              tick === null
                ? undefined
                : ({ '--share': `${Math.min(100, tick).toFixed(1)}%` } as React.CSSProperties)
            }
          >
            <span
              className="jp-pycaret-bar__fill"
              style={{ width: `${Math.min(100, bar).toFixed(1)}%` }}
            />
          </div>
          <span className="jp-pycaret-num">{written(row, metric ?? '')}</span>
        </div>
      </td>
      <td>{strip}</td>
      {beside.map(name => (
        <td key={name} className="jp-pycaret-num">
          {written(row, name)}
        </td>
      ))}
      <td className="jp-pycaret-num">
        {typeof seconds === 'number' ? seconds.toFixed(1) : MISSING}
      </td>
      {kept}
    </tr>
  );
}

/** Whether a model is kept; a button for it where it is not. */
export function Kept(props: {
  readonly row: ILeaderboardRow;
  /** since when it is being kept, in ms */
  readonly since: number | undefined;
  readonly keep: (() => void) | null;
}): JSX.Element {
  const { row, since, keep } = props;
  const trans = useTrans();
  const now = useNow(since !== undefined);
  return (
    <td className="jp-pycaret-num jp-pycaret-leaderboard__keep">
      {row.kept ? (
        <span className="jp-pycaret-keep">
          <Icon name="check" />
          {trans.__('Kept')}
        </span>
      ) : since !== undefined ? (
        <span className="jp-pycaret-keep" aria-label={trans.__('Keeping %1', row.name)}>
          <StatusMark status="running" />
          {formatSpan(Math.max(0, now - since))}
        </span>
      ) : keep ? (
        <button
          type="button"
          className="jp-pycaret-button jp-pycaret-button--ghost jp-pycaret-button--small"
          aria-label={trans.__('Keep %1', row.name)}
          title={trans.__('Fit it on all rows, so that it can be promoted')}
          onClick={keep}
        >
          {trans.__('Keep')}
        </button>
      ) : null}
    </td>
  );
}

/** A model that is being fitted. */
export function Fitting({
  fitting,
  span
}: {
  readonly fitting: IFitting;
  readonly span: number;
}): JSX.Element {
  const trans = useTrans();
  const { fold, folds, name } = fitting;
  const done = fold === null ? 0 : fold - 1;
  const counts = fold !== null && folds !== null;
  return (
    <tr className="jp-pycaret-leaderboard__row--running">
      <td className="jp-pycaret-num">
        <StatusMark status="running" />
      </td>
      <td className="jp-pycaret-leaderboard__model">
        <Clip as="div" className="jp-pycaret-leaderboard__pulse">
          {name}
        </Clip>
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

/** A model that failed, and why. */
export function Failed({
  failed,
  name,
  span
}: {
  readonly failed: IFailedModel;
  readonly name: string;
  readonly span: number;
}): JSX.Element {
  const trans = useTrans();
  return (
    <tr>
      <td className="jp-pycaret-num">
        <StatusMark status="failed" />
      </td>
      <td className="jp-pycaret-leaderboard__model">
        <div className="jp-pycaret-clip" title={name}>
          {name}
        </div>
      </td>
      <td colSpan={2 + span}>
        <div className="jp-pycaret-clip" title={failed.error}>
          {trans.__('Failed · %1', failed.error)}
        </div>
      </td>
    </tr>
  );
}

/** The models that wait, in one line. */
export function Waiting({
  names,
  span
}: {
  readonly names: ReadonlyArray<string>;
  readonly span: number;
}): JSX.Element {
  const trans = useTrans();
  const all = names.join(', ');
  return (
    <tr className="jp-pycaret-leaderboard__row--quiet">
      <td className="jp-pycaret-num">
        <StatusMark status="queued" />
      </td>
      <td colSpan={3 + span}>
        <div className="jp-pycaret-clip" title={all}>
          {trans.__('%1 waiting: %2', formatCount(names.length), all)}
        </div>
      </td>
    </tr>
  );
}

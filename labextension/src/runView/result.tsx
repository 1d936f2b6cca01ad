import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import React from 'react';
import { CommandIDs, useCommand } from '../common/commands';
import { formatCount, formatEnd, formatScore } from '../common/format';
import { StatusMark } from '../common/icons';
import { useTrans } from '../common/trans';
import { shownMetric } from './model';
import { baselineOf, foundOf, type IRunState, valueOf } from './state';

const WIDTH = 556;
const LEFT = 124;
const RIGHT = 540;
const TICKS = 5;
/** deviations of the folds that the band reaches to either side */
const DEVIATIONS = 2;

/**
 * Whether the best model is worth anything, as the server says it, and the three scores behind that.
 */
export function Result({ state }: { readonly state: IRunState }): JSX.Element | null {
  const trans = useTrans();
  const found = foundOf(state);
  const metric = shownMetric(state);
  const best = state.rows[0];
  const baseline = baselineOf(state);
  if (found === null || !best || metric === null || !baseline) {
    return null;
  }
  const mean = valueOf(best, metric);
  const std = best.std?.[metric] ?? null;
  const held = found.holdout?.[metric];
  const holdout = typeof held === 'number' ? held : null;
  const reference = valueOf(baseline, metric);
  return (
    <section className="jp-pycaret-block" aria-label={trans.__('Result')}>
      <div className="jp-pycaret-verdict">
        <div className="jp-pycaret-verdict__mark">
          <StatusMark status={found.verdict === 'better' ? 'succeeded' : 'warning'} />
        </div>
        <h3 className="jp-pycaret-verdict__title">{found.headline}</h3>
        {found.detail ? <p className="jp-pycaret-muted">{found.detail}</p> : null}
        <Remedy state={state} />
      </div>
      <dl className="jp-pycaret-stats jp-pycaret-stats--three">
        <Figure
          label={trans.__('%1, cross-validation', metric)}
          value={formatScore(mean)}
          aside={std === null ? '' : `± ${formatScore(std)}`}
        />
        <Figure
          label={trans.__('%1, hold-out', metric)}
          value={formatScore(holdout)}
          aside={
            typeof found.holdout_rows === 'number'
              ? trans._n('%2 row', '%2 rows', found.holdout_rows, formatCount(found.holdout_rows))
              : ''
          }
        />
        <Figure label={trans.__('Baseline')} value={formatScore(reference)} aside={baseline.name} />
      </dl>
      {mean !== null && reference !== null ? (
        <Scale mean={mean} std={std ?? 0} holdout={holdout} baseline={reference} />
      ) : null}
    </section>
  );
}

/** The parameter by which the models of a plan are ordered. */
const RANKED_BY: Readonly<Record<string, string>> = {
  compare: 'sort',
  blend: 'sort',
  stack: 'sort',
  ensemble: 'sort',
  calibrate: 'sort',
  tune: 'optimize',
  automl: 'optimize'
};

/** What to do about a score that cannot be relied upon: the form, with the parameter that mends it. */
function Remedy({ state }: { readonly state: IRunState }): JSX.Element | null {
  const trans = useTrans();
  const again = useCommand(CommandIDs.newRun);
  const { run, mayWrite } = state;
  const found = foundOf(state);
  if (!again || !mayWrite || run === null || found === null) {
    return null;
  }
  const metric = found.suggested_metric;
  const param = RANKED_BY[run.plan];
  const groups = groupsOf(state);
  const remedy: { word: string; changes: ReadonlyPartialJSONObject } | null =
    found.verdict === 'not_better' && metric && param
      ? { word: trans.__('Run again by %1', metric), changes: { [param]: metric } }
      : found.verdict !== 'not_better' && groups
        ? { word: trans.__('Run again by groups'), changes: groups }
        : null;
  return remedy ? (
    <div>
      <button
        type="button"
        className="jp-pycaret-button jp-pycaret-button--small"
        onClick={() => again({ runId: run.id, changes: remedy.changes })}
      >
        {remedy.word}
      </button>
    </div>
  ) : null;
}

/** The parameters that keep groups together, where the run has noticed some. */
function groupsOf({ events }: IRunState): ReadonlyPartialJSONObject | null {
  const noticed = events.find(event => event.kind === 'run.groups_noticed');
  const params = noticed?.payload.setup_params;
  return params ? (params as ReadonlyPartialJSONObject) : null;
}

function Figure(props: {
  readonly label: string;
  readonly value: string;
  readonly aside: string;
}): JSX.Element {
  return (
    <div className="jp-pycaret-stats__item">
      <dt className="jp-pycaret-stats__label">{props.label}</dt>
      <dd className="jp-pycaret-stats__value">
        {props.value}
        {props.aside ? <small>{` ${props.aside}`}</small> : null}
      </dd>
    </div>
  );
}

/** The baseline, the folds and the hold-out on one scale. */
function Scale(props: {
  readonly mean: number;
  readonly std: number;
  readonly holdout: number | null;
  readonly baseline: number;
}): JSX.Element {
  const trans = useTrans();
  const { mean, std, holdout, baseline } = props;
  const from = mean - DEVIATIONS * std;
  const to = mean + DEVIATIONS * std;
  const { low, high, step } = rounded([from, to, baseline, ...(holdout === null ? [] : [holdout])]);
  const place = (value: number): number => LEFT + ((value - low) / (high - low)) * (RIGHT - LEFT);
  const ticks = Array.from(
    { length: Math.round((high - low) / step) + 1 },
    (_, n) => low + n * step
  );
  const label = [
    trans.__('Baseline %1', formatScore(baseline)),
    trans.__('cross-validation %1', formatScore(mean)),
    trans.__('two deviations reach from %1 to %2', formatScore(from), formatScore(to)),
    ...(holdout === null ? [] : [trans.__('hold-out %1', formatScore(holdout))])
  ].join(', ');
  return (
    <svg
      className="jp-pycaret-plot jp-pycaret-scale"
      viewBox={`0 0 ${WIDTH} 82`}
      role="img"
      aria-label={label}
    >
      <path className="jp-pycaret-plot__grid" d={`M${LEFT} 62H${RIGHT}`} />
      {ticks.map(tick => (
        <text key={tick} x={place(tick)} y={78} textAnchor="middle">
          {formatEnd(tick)}
        </text>
      ))}
      <path className="jp-pycaret-plot__ref" d={`M${place(baseline).toFixed(1)} 16V62`} />
      <text x={place(baseline)} y={11} textAnchor="middle">
        {trans.__('baseline')}
      </text>
      <text className="jp-pycaret-plot__ink" x={0} y={30}>
        {trans.__('Cross-validation')}
      </text>
      <path
        className="jp-pycaret-scale__band"
        d={`M${place(from).toFixed(1)} 26H${place(to).toFixed(1)}`}
      />
      <circle className="jp-pycaret-scale__mean" cx={place(mean)} cy={26} r={5} />
      {holdout === null ? null : (
        <>
          <text className="jp-pycaret-plot__ink" x={0} y={50}>
            {trans.__('Hold-out')}
          </text>
          <path
            className="jp-pycaret-scale__hold"
            d={`M${place(holdout).toFixed(1)} 39l6 7-6 7-6-7z`}
          />
        </>
      )}
    </svg>
  );
}

/** A range of round numbers around values, and the step of its ticks. */
function rounded(values: ReadonlyArray<number>): {
  readonly low: number;
  readonly high: number;
  readonly step: number;
} {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const span = most - least || Math.abs(most) || 1;
  const size = 10 ** Math.floor(Math.log10(span / TICKS));
  const step = [1, 2, 5, 10].map(n => n * size).find(one => span / one <= TICKS) ?? 10 * size;
  return {
    low: Math.floor(least / step + 1e-9) * step,
    high: Math.ceil(most / step - 1e-9) * step || step,
    step
  };
}

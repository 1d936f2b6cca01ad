import React from 'react';
import { formatCount, MISSING } from '../common/format';
import { useTrans } from '../common/trans';
import type { IDeploymentState, IReading } from './model';

/** ms over which requests per second are counted */
const WINDOW = 15000;
/** ms below which a rate would be a guess */
const SHORTEST = 2000;
const WIDTH = 280;
const HEIGHT = 40;

/**
 * Counts and latency, and how they went since the view was opened.
 */
export function Stats({ state }: { readonly state: IDeploymentState }): JSX.Element | null {
  const trans = useTrans();
  const { deployment, readings } = state;
  if (!deployment) {
    return null;
  }
  const { inference_count: good, error_count: bad } = deployment;
  const all = good + bad;
  return (
    <div className="jp-pycaret-stats">
      <Item label={trans.__('Requests')}>{formatCount(good)}</Item>
      <Item label={trans.__('Errors')}>
        {all > 0 ? ((100 * bad) / all).toFixed(1) : '0.0'}
        <small>{`% · ${formatCount(bad)}`}</small>
      </Item>
      <div className="jp-pycaret-stats__item jp-pycaret-stats__latency">
        <div>
          <p className="jp-pycaret-stats__label">
            <i className="jp-pycaret-key" />
            p50
          </p>
          <Milliseconds value={deployment.p50_latency_ms} />
        </div>
        <div>
          <p className="jp-pycaret-stats__label">
            <i className="jp-pycaret-key jp-pycaret-key--p95" />
            p95
          </p>
          <Milliseconds value={deployment.p95_latency_ms} />
        </div>
        <Spark readings={readings} />
      </div>
      <Item label={trans.__('Per second, now')}>{perSecond(readings)}</Item>
    </div>
  );
}

function Item({
  label,
  children
}: {
  readonly label: string;
  readonly children: React.ReactNode;
}): JSX.Element {
  return (
    <div className="jp-pycaret-stats__item">
      <p className="jp-pycaret-stats__label">{label}</p>
      <p className="jp-pycaret-stats__value">{children}</p>
    </div>
  );
}

function Milliseconds({ value }: { readonly value: number | null }): JSX.Element {
  return (
    <p className="jp-pycaret-stats__value">
      {value === null ? MISSING : value < 1 ? '<1' : formatCount(Math.round(value))}
      {value === null ? null : <small>ms</small>}
    </p>
  );
}

/** Requests per second over the last readings; a dash until there are two. */
export function perSecond(readings: ReadonlyArray<IReading>): string {
  const last = readings[readings.length - 1];
  const first = readings.find(one => last !== undefined && last.at - one.at <= WINDOW);
  if (!last || !first || last.at - first.at < SHORTEST) {
    return MISSING;
  }
  return ((1000 * (last.count - first.count)) / (last.at - first.at)).toFixed(1);
}

function Spark({ readings }: { readonly readings: ReadonlyArray<IReading> }): JSX.Element {
  const trans = useTrans();
  const highest = Math.max(1, ...readings.map(one => one.p95 ?? one.p50 ?? 0));
  const line = (pick: (one: IReading) => number | null): string =>
    readings
      .flatMap((one, index) => {
        const value = pick(one);
        if (value === null) {
          return [];
        }
        const x = readings.length > 1 ? (index / (readings.length - 1)) * WIDTH : WIDTH;
        return [`${x.toFixed(1)} ${(HEIGHT - 2 - (value / highest) * (HEIGHT - 4)).toFixed(1)}`];
      })
      .map((point, index) => `${index === 0 ? 'M' : 'L'}${point}`)
      .join('');
  return (
    <svg
      className="jp-pycaret-spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={trans.__('Latency since this view was opened')}
    >
      <path className="jp-pycaret-plot__grid" d={`M0 ${HEIGHT - 0.5}h${WIDTH}`} />
      <path className="jp-pycaret-spark__p95" d={line(one => one.p95)} />
      <path className="jp-pycaret-spark__p50" d={line(one => one.p50)} />
    </svg>
  );
}

import React from 'react';
import { formatCount, formatScore } from '../common/format';
import { useTrans } from '../common/trans';
import { searchPoints, stepsOf } from './searchCurve';
import { shownMetric } from './model';
import { greaterIsBetter, type IRunState } from './state';

const WIDTH = 240;
const HEIGHT = 40;

/** How the best score of a search has grown with the settings that were tried. */
export function SearchCurve({ state }: { readonly state: IRunState }): JSX.Element | null {
  const trans = useTrans();
  const metric = shownMetric(state);
  const points = searchPoints(state.events);
  const [first] = points;
  const last = points[points.length - 1];
  if (!metric || !first || !last || points.length < 2) {
    return null;
  }
  const up = greaterIsBetter(state, metric);
  const text = trans.__(
    'Best %1 from %2 to %3 after %4 settings',
    metric,
    formatScore(first.best),
    formatScore(last.best),
    formatCount(last.tried)
  );
  return (
    <figure className="jp-pycaret-search">
      <svg
        className="jp-pycaret-search__curve"
        viewBox={`-1 -2 ${WIDTH + 2} ${HEIGHT + 4}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={text}
      >
        <path d={stepsOf(points, WIDTH, HEIGHT, up)} />
      </svg>
      <figcaption className="jp-pycaret-muted">{text}</figcaption>
    </figure>
  );
}

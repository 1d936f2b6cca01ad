import type { IRunEvent } from '../api/rows';

/** The best score after so many settings were tried. */
export interface ISearchPoint {
  readonly tried: number;
  readonly best: number;
}

/** What a search has told of its best score, in order; empty for runs without one. Only the last attempt counts. */
export function searchPoints(events: ReadonlyArray<IRunEvent>): ReadonlyArray<ISearchPoint> {
  let points: ISearchPoint[] = [];
  for (const { kind, payload } of events) {
    if (kind === 'search.started') {
      points = [];
    } else if (kind === 'search.progress') {
      const best = (payload.best as { value?: unknown } | undefined)?.value;
      const tried = payload.n_tried;
      if (typeof best === 'number' && typeof tried === 'number') {
        points.push({ tried, best });
      }
    }
  }
  return points;
}

/** The steps of the best score as an SVG path that fills a box; empty for fewer than two points. */
export function stepsOf(
  points: ReadonlyArray<ISearchPoint>,
  width: number,
  height: number,
  greaterIsBetter: boolean
): string {
  const [first] = points;
  const last = points[points.length - 1];
  if (!first || !last || points.length < 2 || last.tried === first.tried) {
    return '';
  }
  const values = points.map(point => point.best);
  const low = Math.min(...values);
  const range = Math.max(...values) - low;
  const x = (tried: number): string =>
    ((width * (tried - first.tried)) / (last.tried - first.tried)).toFixed(1);
  const y = (best: number): string => {
    const share = range === 0 ? 0.5 : (best - low) / range;
    return (height * (greaterIsBetter ? 1 - share : share)).toFixed(1);
  };
  const steps = points.slice(1).map(point => `H${x(point.tried)}V${y(point.best)}`);
  return `M0 ${y(first.best)}${steps.join('')}`;
}

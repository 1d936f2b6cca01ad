import React, { useState } from 'react';
import type { IRunEvent } from '../api/rows';
import { formatMilliseconds } from '../common/format';
import { useTrans } from '../common/trans';

/** height of a line, px; lines do not wrap */
const LINE = 25;
const HEIGHT = 10 * LINE;
/** lines drawn above and below what is in sight */
const MARGIN = 8;

/**
 * Events, newest first. Only what is in sight is in the page, however many there are.
 */
export function Log({
  events,
  start
}: {
  readonly events: ReadonlyArray<IRunEvent>;
  /** when the run began, ms */
  readonly start: number;
}): JSX.Element {
  const trans = useTrans();
  const [top, setTop] = useState(0);
  const count = events.length;
  const first = Math.max(0, Math.floor(top / LINE) - MARGIN);
  const last = Math.min(count, Math.ceil((top + HEIGHT) / LINE) + MARGIN);
  const lines: JSX.Element[] = [];
  for (let index = first; index < last; index += 1) {
    const event = events[count - 1 - index];
    if (event) {
      lines.push(<Line key={event.seq} event={event} start={start} place={index} count={count} />);
    }
  }
  return (
    <div
      className="jp-pycaret-log__box"
      style={{ maxHeight: HEIGHT }}
      role="region"
      aria-label={trans.__('Event log')}
      // It scrolls: without a stop the keyboard could not.
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      onScroll={event => setTop(event.currentTarget.scrollTop)}
    >
      <ul
        role="list"
        className="jp-pycaret-log"
        aria-label={trans.__('Events')}
        style={{ height: count * LINE, paddingTop: first * LINE }}
      >
        {lines}
      </ul>
    </div>
  );
}

function Line({
  event,
  start,
  place,
  count
}: {
  readonly event: IRunEvent;
  readonly start: number;
  readonly place: number;
  readonly count: number;
}): JSX.Element {
  const trans = useTrans();
  const { kind, message, payload, duration_ms: took, timestamp } = event;
  return (
    <li className="jp-pycaret-log__line" aria-setsize={count} aria-posinset={place + 1}>
      <span className="jp-pycaret-log__time">{clock(Date.parse(timestamp) - start)}</span>
      <span className="jp-pycaret-log__kind jp-pycaret-clip" title={kind}>
        {kind}
      </span>
      <span className="jp-pycaret-clip" title={message}>
        {typeof payload.fold === 'number'
          ? trans.__('%1, fold %2 of %3', message, String(payload.fold), String(payload.folds))
          : message}
      </span>
      <span className="jp-pycaret-log__took">{took === null ? '' : formatTook(took)}</span>
    </li>
  );
}

/** ms since the start as 0:24.1 */
function clock(ms: number): string {
  const tenths = Math.max(0, Math.floor(ms / 100));
  const seconds = Math.floor(tenths / 10);
  const two = String(seconds % 60).padStart(2, '0');
  return `${Math.floor(seconds / 60)}:${two}.${tenths % 10}`;
}

function formatTook(ms: number): string {
  return ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : formatMilliseconds(ms);
}

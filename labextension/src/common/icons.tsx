import { LabIcon } from '@jupyterlab/ui-components';
import React from 'react';
import { useTrans } from './trans';

/** The mark of the side bar tab: a short leaderboard and a dial. */
export const opsIcon = new LabIcon({
  name: 'jupyter-pycaret-ops:ops',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16">
  <g class="jp-icon3" stroke="#616161" fill="none" stroke-width="1.25" stroke-linecap="round">
    <path class="jp-icon3" stroke="#616161" d="M2.5 3.5h7.5M2.5 8h5M2.5 12.5h3"/>
    <circle class="jp-icon3" stroke="#616161" cx="12" cy="10.5" r="2"/>
  </g>
</svg>`
});

/** The mark of a data page: a table. */
export const dataIcon = new LabIcon({
  name: 'jupyter-pycaret-ops:data',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16">
  <g fill="none" stroke-width="1.25" stroke-linejoin="round">
    <path class="jp-icon3" stroke="#616161" d="M2.5 3h11v10h-11zM2.5 6.5h11M6.5 6.5V13"/>
  </g>
</svg>`
});

const DRAWINGS = {
  upload: <path d="M8 10.5V3M5 6l3-3 3 3M2.5 11v2.5h11V11" />,
  download: <path d="M8 3v7.5M5 7.5l3 3 3-3M2.5 11v2.5h11V11" />,
  down: <path d="M4.5 6.5 8 10l3.5-3.5" />,
  up: <path d="M4.5 9.5 8 6l3.5 3.5" />,
  right: <path d="M6.5 4.5 10 8l-3.5 3.5" />,
  table: <path d="M2.5 3h11v10h-11zM2.5 6.5h11M6.5 6.5V13" />,
  database: (
    <>
      <ellipse cx="8" cy="4" rx="5" ry="1.8" />
      <path d="M3 4v8c0 1 2.2 1.8 5 1.8s5-.8 5-1.8V4M3 8c0 1 2.2 1.8 5 1.8S13 9 13 8" />
    </>
  ),
  cloud: <path d="M4.5 12.5a3 3 0 0 1-.3-6 4 4 0 0 1 7.7.9 2.6 2.6 0 0 1-.4 5.1z" />,
  model: <path d="M8 2 13.5 5v6L8 14l-5.5-3V5zM2.5 5 8 8l5.5-3M8 8v6" />,
  copy: <path d="M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3" />,
  check: <path d="m3 8.5 3.2 3L13 4.5" />,
  info: (
    <>
      <circle cx="8" cy="8" r="5.75" />
      <path d="M8 7.5V11M8 5h.01" />
    </>
  ),
  search: (
    <>
      <circle cx="7" cy="7" r="4" />
      <path d="m10 10 3.5 3.5" />
    </>
  ),
  plus: <path d="M8 3v10M3 8h10" />,
  bin: <path d="M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9M6.7 7v4M9.3 7v4" />,
  key: (
    <>
      <circle cx="5" cy="11" r="2.5" />
      <path d="m7 9 6-6M10.5 5.5l2 2" />
    </>
  ),
  stop: <rect x="4" y="4" width="8" height="8" rx="1" fill="currentColor" />,
  play: <path d="M5 3.5v9l7.5-4.5z" />,
  pause: <path d="M5.5 3.5v9M10.5 3.5v9" />,
  notebook: <path d="M4 2.5h9v11H4zM2.5 5H4M2.5 8H4M2.5 11H4M7 6h3.5M7 8.5h3.5" />,
  promote: <path d="M8 13V5.5M5 8l3-3 3 3M3 2.5h10" />,
  close: <path d="m4 4 8 8M12 4l-8 8" />
};

/**
 * A drawing beside a word. Alone it says nothing: give its button a name.
 */
export function Icon({ name }: { name: keyof typeof DRAWINGS }): JSX.Element {
  return (
    <svg className="jp-pycaret-icon" viewBox="0 0 16 16" aria-hidden="true">
      {DRAWINGS[name]}
    </svg>
  );
}

const HOLE = 'var(--jp-layout-color1)';

const MARKS = {
  queued: (
    <circle
      cx="7"
      cy="7"
      r="5"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeDasharray="2.2 1.73"
    />
  ),
  running: (
    <>
      <circle
        cx="7"
        cy="7"
        r="5"
        fill="none"
        stroke="currentColor"
        strokeOpacity=".25"
        strokeWidth="2"
      />
      <path
        className="jp-pycaret-status__spin"
        d="M7 2a5 5 0 0 1 5 5"
        fill="none"
        stroke="currentColor"
        strokeWidth="2"
        strokeLinecap="round"
      />
    </>
  ),
  succeeded: (
    <>
      <circle cx="7" cy="7" r="6" fill="currentColor" />
      <path
        d="m4.3 7.2 1.9 1.9 3.5-3.8"
        fill="none"
        stroke={HOLE}
        strokeWidth="1.5"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </>
  ),
  failed: (
    <>
      <path d="M4.5 1h5L13 4.5v5L9.5 13h-5L1 9.5v-5z" fill="currentColor" />
      <path d="m5 5 4 4M9 5 5 9" stroke={HOLE} strokeWidth="1.5" strokeLinecap="round" />
    </>
  ),
  cancelled: (
    <>
      <circle cx="7" cy="7" r="5" fill="none" stroke="currentColor" strokeWidth="1.5" />
      <path d="m3.6 10.4 6.8-6.8" stroke="currentColor" strokeWidth="1.5" />
    </>
  ),
  active: <circle cx="7" cy="7" r="4" fill="currentColor" />,
  paused: (
    <path d="M4.8 3v8M9.2 3v8" stroke="currentColor" strokeWidth="2.2" strokeLinecap="round" />
  ),
  warning: (
    <>
      <path
        d="M7 1.2 13.2 12.5H.8z"
        fill="currentColor"
        stroke="currentColor"
        strokeLinejoin="round"
      />
      <path d="M7 5v3.5M7 10.6h.01" stroke={HOLE} strokeWidth="1.5" strokeLinecap="round" />
    </>
  )
};

export type Status = keyof typeof MARKS;

/**
 * Status as silhouette and colour; it carries the word for screen readers.
 */
export function StatusMark({ status }: { status: Status }): JSX.Element {
  const trans = useTrans();
  const words: Record<Status, string> = {
    queued: trans.__('Queued'),
    running: trans.__('Running'),
    succeeded: trans.__('Succeeded'),
    failed: trans.__('Failed'),
    cancelled: trans.__('Cancelled'),
    active: trans.__('Active'),
    paused: trans.__('Paused'),
    warning: trans.__('Warning')
  };
  return (
    <svg
      className={`jp-pycaret-status__mark jp-pycaret-status__mark--${status}`}
      viewBox="0 0 14 14"
      role="img"
      aria-label={words[status]}
    >
      {MARKS[status]}
    </svg>
  );
}

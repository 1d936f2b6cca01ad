import React, { useRef, useState } from 'react';
import { formatCount } from '../common/format';
import { Icon } from '../common/icons';
import { useTrans } from '../common/trans';
import { useWide } from '../common/useWide';
import type { IPart } from './part';
import { isConnector, shownVersion } from './state';
import { changesWords, dialectWords, noteWord, notesOf, notesSummary } from './words';

/** notes that are shown unfolded from the start, and those drawn at most */
const FEW = 30;
const MOST = 200;
/** px from which they do not push the columns out of sight */
const ROOMY = 600;

/**
 * How the file was read, what is new in this version, and everything that was noticed.
 */
export function Reading({
  model,
  state,
  onChange
}: IPart & { readonly onChange: () => void }): JSX.Element | null {
  const trans = useTrans();
  const { source, profile, mayWrite } = state;
  if (source === null) {
    return null;
  }
  const shown = shownVersion(state);
  const changes = shown?.changes;
  const notes = profile ? notesOf(profile, trans) : [];
  const connector = isConnector(source);
  const dialect = profile?.dialect ?? shown?.dialect ?? null;
  return (
    <div className="jp-pycaret-reading">
      <div className="jp-pycaret-reading__line">
        <span className="jp-pycaret-muted">
          {connector ? trans.__('Read from') : trans.__('Read as')}
        </span>
        <span>{connector ? placeOf(state) : dialectWords(source, dialect, trans)}</span>
        {!mayWrite || (connector && state.failure) ? null : connector ? (
          <button
            type="button"
            className="jp-pycaret-button jp-pycaret-button--ghost jp-pycaret-button--small"
            aria-disabled={state.reading !== null || undefined}
            onClick={() => {
              if (state.reading === null) {
                void model.makeAgain();
              }
            }}
          >
            {trans.__('Read the table again')}
          </button>
        ) : source.kind === 'parquet_upload' ? null : (
          <button
            type="button"
            className="jp-pycaret-button jp-pycaret-button--ghost jp-pycaret-button--small"
            aria-label={trans.__('Change how the file is read')}
            onClick={onChange}
          >
            {trans.__('Change')}
          </button>
        )}
      </div>
      {shown && changes ? (
        <div className="jp-pycaret-reading__line">
          <span className="jp-pycaret-muted">
            {trans.__('Since version %1', formatCount(shown.version - 1))}
          </span>
          <span>{changesWords(changes, trans)}</span>
        </div>
      ) : null}
      {profile && notes.length > 0 ? (
        <Notes key={state.version} notes={notes} summary={notesSummary(profile, trans)} />
      ) : profile ? (
        <div className="jp-pycaret-reading__line">
          <span className="jp-pycaret-muted">{trans.__('Notes')}</span>
          <span>{trans.__('Nothing was changed or left out.')}</span>
        </div>
      ) : null}
    </div>
  );
}

function Notes({
  notes,
  summary
}: {
  readonly notes: ReturnType<typeof notesOf>;
  readonly summary: string;
}): JSX.Element {
  const trans = useTrans();
  const box = useRef<HTMLDetailsElement>(null);
  const roomy = useWide(box, ROOMY);
  const [chosen, setChosen] = useState<boolean | null>(null);
  const open = chosen ?? (roomy && notes.length <= FEW);
  const hidden = notes.length - MOST;
  return (
    <details ref={box} open={open}>
      {/* a summary answers to Enter and Space with a click */}
      <summary
        onClick={event => {
          event.preventDefault();
          setChosen(!open);
        }}
      >
        <Icon name="right" />
        <b>
          {trans._n(
            '%2 note from reading the file',
            '%2 notes from reading the file',
            notes.length,
            formatCount(notes.length)
          )}
        </b>
        <span className="jp-pycaret-muted">{summary}</span>
      </summary>
      {open ? (
        <ul
          role="list"
          className="jp-pycaret-reading__list"
          aria-label={trans.__('Notes from reading')}
        >
          {notes.slice(0, MOST).map(({ code, message, count }, index) => (
            <li key={index}>
              <span>{noteWord(code, trans)}</span>
              <span>{message}</span>
              <span className="jp-pycaret-num">{count}</span>
            </li>
          ))}
          {hidden > 0 ? (
            <li>
              <span />
              <span className="jp-pycaret-muted">
                {trans.__('and %1 more; the details of a column have its own', formatCount(hidden))}
              </span>
              <span />
            </li>
          ) : null}
        </ul>
      ) : null}
    </details>
  );
}

/** Where the table of a connector lives. */
function placeOf({ source }: IPart['state']): string {
  const config = source?.config;
  if (source?.kind === 's3') {
    return `S3 · ${config?.bucket ?? ''}/${config?.key ?? ''}`;
  }
  const table = [config?.schema, config?.table].filter(Boolean).join('.');
  return ['Postgres', config?.host, config?.database, table].filter(Boolean).join(' · ');
}

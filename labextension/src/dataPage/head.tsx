import React, { useRef } from 'react';
import { Clip } from '../common/clip';
import { CommandIDs, useCommand } from '../common/commands';
import { formatCount, formatSize } from '../common/format';
import { Icon } from '../common/icons';
import { useTrans } from '../common/trans';
import { VersionPicker } from '../common/versionPicker';
import { atTime } from '../common/words';
import { TAKEN } from '../sidePanel/uploads';
import type { IPart } from './part';
import { isConnector, newestVersion, shownVersion } from './state';

/**
 * Which data this is, how much of it there is, and what can be done with it as a whole.
 */
export function Head({ model, state }: IPart): JSX.Element | null {
  const trans = useTrans();
  const train = useCommand(CommandIDs.newRun);
  const { source, mayWrite, version } = state;
  if (source === null) {
    return null;
  }
  const upload = !isConnector(source);
  return (
    <header className="jp-pycaret-head">
      <h2 className="jp-pycaret-head__title">
        <Clip>{source.name}</Clip>
      </h2>
      <div className="jp-pycaret-head__actions">
        {train && mayWrite ? (
          <button
            type="button"
            className="jp-pycaret-button jp-pycaret-button--primary"
            onClick={() =>
              train({
                sourceId: source.id,
                ...(version !== null && version !== newestVersion(state) ? { version } : {})
              })
            }
          >
            {trans.__('Train')}
          </button>
        ) : null}
        {upload && mayWrite ? <UploadVersion model={model} state={state} /> : null}
        {upload ? (
          <button
            type="button"
            className="jp-pycaret-button"
            onClick={() => void save(model, fileName(state))}
          >
            <Icon name="download" />
            {trans.__('Download')}
          </button>
        ) : null}
      </div>
      <Figures model={model} state={state} />
      <Uploaded state={state} />
    </header>
  );
}

function UploadVersion({ model, state }: IPart): JSX.Element {
  const trans = useTrans();
  const input = useRef<HTMLInputElement>(null);
  const off = state.sending !== null;
  return (
    <>
      <button
        type="button"
        className="jp-pycaret-button"
        aria-disabled={off || undefined}
        onClick={() => {
          if (!off) {
            input.current?.click();
          }
        }}
      >
        <Icon name="upload" />
        {trans.__('Upload new version')}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        accept={TAKEN.join(',')}
        onChange={event => {
          const file = event.target.files?.[0];
          // the same file may be chosen again
          event.target.value = '';
          if (file) {
            void model.upload(file);
          }
        }}
      />
    </>
  );
}

/** The version on display, with rows, columns and size. */
function Figures({ model, state }: IPart): JSX.Element {
  const trans = useTrans();
  const { source, profile, versions, version } = state;
  const shown = shownVersion(state);
  const rows = profile?.rows ?? shown?.rows ?? source?.config.rows;
  const columns =
    profile?.columns?.length ?? shown?.columns.length ?? source?.config.columns?.length;
  const size = shown?.size_bytes ?? source?.config.size_bytes;
  const parts: JSX.Element[] = [];
  if (typeof rows === 'number') {
    parts.push(<Amount text={trans._n('%2 row', '%2 rows', rows, formatCount(rows))} />);
  }
  if (typeof columns === 'number') {
    const text = trans._n('%2 column', '%2 columns', columns, formatCount(columns));
    parts.push(<Amount text={text} />);
  }
  if (typeof size === 'number') {
    parts.push(<>{formatSize(size)}</>);
  }
  return (
    <div className="jp-pycaret-head__meta jp-pycaret-head__version">
      {versions.length > 0 ? (
        <VersionPicker
          versions={versions.map(one => one.version)}
          chosen={version}
          onChoose={one => model.chooseVersion(one)}
        />
      ) : null}
      <span>
        {parts.map((part, index) => (
          <React.Fragment key={index}>
            {index > 0 ? ' · ' : null}
            {part}
          </React.Fragment>
        ))}
      </span>
    </div>
  );
}

/** A figure with its word: the figure stands out. */
function Amount({ text }: { readonly text: string }): JSX.Element {
  const [figure, ...words] = text.split(' ');
  return (
    <>
      <b>{figure}</b> {words.join(' ')}
    </>
  );
}

function Uploaded({ state }: Pick<IPart, 'state'>): JSX.Element {
  const trans = useTrans();
  const { source } = state;
  const at = Date.parse(shownVersion(state)?.created_at ?? source?.created_at ?? '');
  const when = atTime(at, Date.now(), trans);
  return (
    <p className="jp-pycaret-head__times">
      {source && isConnector(source)
        ? trans.__('connected %1', when)
        : trans.__('uploaded %1', when)}
    </p>
  );
}

function fileName(state: IPart['state']): string {
  const { source } = state;
  return shownVersion(state)?.filename ?? source?.config.filename ?? source?.name ?? 'data';
}

/** Give the file to the browser, which saves it. */
async function save(model: IPart['model'], name: string): Promise<void> {
  const blob = await model.download();
  if (blob === null) {
    return;
  }
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser has taken it over when the next task runs.
  setTimeout(() => URL.revokeObjectURL(link.href), 0);
}

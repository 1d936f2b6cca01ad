import React, { useEffect, useRef, useState } from 'react';
import { CommandIDs, useCommand } from '../common/commands';
import { Icon, StatusMark } from '../common/icons';
import { SignedOutNote } from '../common/instead';
import { useTrans } from '../common/trans';
import { DeleteProvider, useModel, usePanelState } from './context';
import { DataRegion } from './data';
import { DeploymentsRegion } from './deployments';
import { ModelsRegion } from './models';
import { RunsRegion } from './runs';
import { Scope } from './scope';
import { ActionNotice, LostBar, NoServerPart, NoWorkspace, Unavailable } from './trouble';
import { TAKEN } from './uploads';
import { type Hovering, useFileDrop } from './useFileDrop';

export interface IBodyProps {
  /** asks whether the row with that id shall go */
  readonly onDelete: (id: string) => void;
}

/**
 * What stands in the side panel.
 */
export function Body({ onDelete }: IBodyProps): JSX.Element {
  const trans = useTrans();
  const model = useModel();
  const newRun = useCommand(CommandIDs.newRun);
  const { phase, lost, notice, mayWrite, data, uploads } = usePanelState();
  const regions = phase === 'live' || phase === 'loading';
  const mayUpload = phase === 'live' && mayWrite && lost === null;
  const { hovering, handlers } = useFileDrop(mayUpload, files => model.upload(files));
  const firstUse = phase === 'live' && data.rows.length === 0 && uploads.length === 0;

  return (
    // The panel is a place to drop files; with the keyboard one chooses them by `Upload data`.
    <div
      className={`jp-pycaret jp-pycaret-panel${hovering ? ' jp-pycaret-panel--drop' : ''}`}
      aria-busy={phase === 'loading' && lost === null}
      {...handlers}
    >
      {hovering ? <DropCard hovering={hovering} /> : null}
      {lost ? <LostBar lost={lost} /> : null}
      {notice ? <ActionNotice sentence={notice} /> : null}
      {regions ? (
        <>
          <Scope />
          {mayWrite ? (
            <div className="jp-pycaret-actions">
              <UploadButton primary={firstUse} off={!mayUpload} />
              {newRun ? (
                <button
                  type="button"
                  className={`jp-pycaret-button${firstUse ? '' : ' jp-pycaret-button--primary'}`}
                  disabled={!mayUpload}
                  onClick={() => newRun({})}
                >
                  <Icon name="plus" />
                  {trans.__('New run')}
                </button>
              ) : null}
            </div>
          ) : null}
          <div className="jp-pycaret-panel__regions">
            <DeleteProvider value={onDelete}>
              <DataRegion />
              <RunsRegion />
              <ModelsRegion />
              <DeploymentsRegion />
            </DeleteProvider>
          </div>
        </>
      ) : (
        <div className="jp-pycaret-panel__regions">
          {phase === 'missing' ? <NoServerPart /> : null}
          {phase === 'signedOut' ? <SignedOutNote /> : null}
          {phase === 'unavailable' ? <Unavailable /> : null}
          {phase === 'noWorkspace' ? <NoWorkspace /> : null}
        </div>
      )}
      <Announcer />
    </div>
  );
}

function UploadButton({
  primary,
  off
}: {
  readonly primary: boolean;
  readonly off: boolean;
}): JSX.Element {
  const trans = useTrans();
  const model = useModel();
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        className={`jp-pycaret-button${primary ? ' jp-pycaret-button--primary' : ''}`}
        disabled={off}
        onClick={() => input.current?.click()}
      >
        <Icon name="upload" />
        {trans.__('Upload data')}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        multiple
        accept={TAKEN.join(',')}
        onChange={event => {
          model.upload([...(event.target.files ?? [])]);
          // the same file may be chosen again
          event.target.value = '';
        }}
      />
    </>
  );
}

function DropCard({ hovering }: { readonly hovering: Exclude<Hovering, null> }): JSX.Element {
  const trans = useTrans();
  const { workspaces, workspaceId } = usePanelState();
  const workspace = workspaces.find(row => row.id === workspaceId)?.name ?? '';
  const taken = hovering === 'taken';
  return (
    <div className="jp-pycaret-drop">
      <div className="jp-pycaret-drop__card" role="status">
        {taken ? <Icon name="upload" /> : <StatusMark status="failed" />}
        <p className="jp-pycaret-drop__title">
          {taken ? trans.__('Drop to upload') : trans.__('This kind is not taken')}
        </p>
        {taken ? (
          <p className="jp-pycaret-muted">{trans.__('into workspace %1', workspace)}</p>
        ) : null}
        <p className="jp-pycaret-muted">
          {trans.__('CSV, Parquet or Excel, up to the limit of the server')}
        </p>
      </div>
    </div>
  );
}

/** The live region: start and end of runs, uploads, the connection. */
function Announcer(): JSX.Element {
  const model = useModel();
  const [sentence, setSentence] = useState('');
  useEffect(() => {
    const say = (_: unknown, said: string): void => setSentence(said);
    model.said.connect(say);
    return () => {
      model.said.disconnect(say);
    };
  }, [model]);
  return (
    <div className="jp-pycaret-unseen" role="status" aria-live="polite">
      {sentence}
    </div>
  );
}

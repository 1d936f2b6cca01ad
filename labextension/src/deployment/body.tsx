import React, { useId } from 'react';
import type { IApiKey } from '../api/rows';
import type { Access } from '../api/serving';
import { Clip } from '../common/clip';
import { formatCount } from '../common/format';
import { Frame, Notices } from '../common/frame';
import { Icon, StatusMark } from '../common/icons';
import { useTrans } from '../common/trans';
import { useNow } from '../common/useNow';
import { useSignal } from '../common/useSignal';
import { ago } from '../common/words';
import { CallIt } from './callIt';
import { AccessOptions } from './dialog';
import { Keys } from './keys';
import type { DeploymentModel, IDeploymentState } from './model';
import { Stats } from './stats';
import { Threshold } from './threshold';
import { Answer, TryIt } from './tryIt';

export interface IDeploymentViewProps {
  readonly model: DeploymentModel;
  readonly token: string;
  /** what is asked for in dialogs */
  readonly asks: {
    readonly version: () => void;
    readonly newKey: () => void;
    readonly revoke: (key: IApiKey) => void;
    /** whether anyone may call it from now on */
    readonly makePublic: () => Promise<boolean>;
  };
}

/**
 * One deployment: its numbers, a form to try it, the line to call it.
 */
export function DeploymentView({ model, token, asks }: IDeploymentViewProps): JSX.Element {
  const trans = useTrans();
  const state = useSignal(model.changed, () => model.state);
  const { deployment } = state;
  return (
    <Frame
      label={trans.__('Deployment %1', deployment?.endpoint_slug ?? '')}
      phase={state.phase}
      goneTitle={trans.__('This deployment is not there any more')}
      troubleTitle={trans.__('The deployment cannot be shown now')}
      trouble={state.trouble}
      onRetry={() => model.retry()}
    >
      <Head model={model} state={state} onVersion={asks.version} />
      <Notices
        line={state}
        offline={trans.__('The numbers are old. They go on when the server is reached.')}
        signedOut={null}
        onDismiss={() => model.dismissNotice()}
      />
      <Endpoint model={model} state={state} makePublic={asks.makePublic} />
      <Stats state={state} />
      <div className="jp-pycaret-columns jp-pycaret-columns--even">
        <TryIt model={model} state={state} />
        <Answer state={state} />
      </div>
      <CallIt model={model} state={state} token={token} />
      <Keys model={model} state={state} onNew={asks.newKey} onRevoke={asks.revoke} />
    </Frame>
  );
}

interface IPart {
  readonly model: DeploymentModel;
  readonly state: IDeploymentState;
}

function Head({
  model,
  state,
  onVersion
}: IPart & { readonly onVersion: () => void }): JSX.Element | null {
  const trans = useTrans();
  const { deployment, pipeline, mayWrite, online } = state;
  if (!deployment) {
    return null;
  }
  const active = deployment.status === 'active';
  const labels = state.schema?.labels?.length;
  return (
    <header className="jp-pycaret-head">
      <h2 className="jp-pycaret-head__title">
        <span className="jp-pycaret-status jp-pycaret-status--chip">
          <span className="jp-pycaret-status__hidden" aria-hidden="true">
            <StatusMark status={deployment.status} />
          </span>
          {active ? trans.__('Active') : trans.__('Paused')}
        </span>
        <Clip>{deployment.endpoint_slug}</Clip>
      </h2>
      {mayWrite ? (
        <div className="jp-pycaret-head__actions">
          <button
            type="button"
            className="jp-pycaret-button"
            disabled={!online || pipeline === null}
            onClick={onVersion}
          >
            {trans.__('Change version')}
          </button>
          <button
            type="button"
            className="jp-pycaret-button"
            disabled={!online}
            onClick={() => void model.change({ status: active ? 'paused' : 'active' })}
          >
            <Icon name={active ? 'pause' : 'play'} />
            {active ? trans.__('Pause') : trans.__('Resume')}
          </button>
        </div>
      ) : null}
      <Clip as="p" className="jp-pycaret-head__meta">
        {pipeline ? (
          <>
            {trans.__('serves')} <b>{`${pipeline.name} v${pipeline.version}`}</b>
            {` · ${state.modelName} · ${pipeline.task}`}
            {labels ? trans.__(', %1 labels', formatCount(labels)) : ''}
          </>
        ) : null}
      </Clip>
      <LastRequest at={deployment.last_inference_at} clockOffset={model.api.clockOffset} />
    </header>
  );
}

function LastRequest({
  at,
  clockOffset
}: {
  readonly at: string | null;
  readonly clockOffset: number;
}): JSX.Element {
  const trans = useTrans();
  const now = useNow(at !== null) + clockOffset;
  return (
    <p className="jp-pycaret-head__times">
      {at === null
        ? trans.__('no request yet')
        : trans.__('last request %1', ago(now - Date.parse(at), trans))}
    </p>
  );
}

function Endpoint({
  model,
  state,
  makePublic
}: IPart & { readonly makePublic: () => Promise<boolean> }): JSX.Element | null {
  const trans = useTrans();
  const id = useId();
  const { deployment, mayWrite, online } = state;
  if (!deployment) {
    return null;
  }
  const address = model.api.address(deployment.endpoint_slug, false);
  const change = async (access: Access): Promise<void> => {
    if (access !== 'public' || (await makePublic())) {
      await model.change({ auth_mode: access });
    }
  };
  return (
    <div className="jp-pycaret-endpoint">
      <div className="jp-pycaret-copyline">
        <span className="jp-pycaret-muted jp-pycaret-mono">POST</span>
        <span className="jp-pycaret-copyline__text jp-pycaret-clip" title={address}>
          {address}
        </span>
        <button
          type="button"
          className="jp-pycaret-button jp-pycaret-button--icon"
          aria-label={trans.__('Copy endpoint')}
          title={trans.__('Copy endpoint')}
          onClick={() => void navigator.clipboard.writeText(address)}
        >
          <Icon name="copy" />
        </button>
      </div>
      <div className="jp-pycaret-endpoint__access">
        <label htmlFor={id}>{trans.__('Access')}</label>
        <select
          className="jp-pycaret-select"
          id={id}
          value={deployment.auth_mode}
          disabled={!mayWrite || !online}
          onChange={event => void change(event.target.value as Access)}
        >
          <AccessOptions />
        </select>
      </div>
      <Threshold model={model} state={state} />
    </div>
  );
}

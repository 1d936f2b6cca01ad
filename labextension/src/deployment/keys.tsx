import React, { useId } from 'react';
import type { IApiKey } from '../api/rows';
import { Icon } from '../common/icons';
import { useTrans } from '../common/trans';
import { useCopied } from '../common/useCopied';
import { useNow } from '../common/useNow';
import { ago, ahead } from '../common/words';
import type { DeploymentModel, IDeploymentState } from './model';

export interface IKeysProps {
  readonly model: DeploymentModel;
  readonly state: IDeploymentState;
  readonly onNew: () => void;
  readonly onRevoke: (key: IApiKey) => void;
}

/**
 * The keys that open this deployment; a new one is shown once.
 */
export function Keys({ model, state, onNew, onRevoke }: IKeysProps): JSX.Element | null {
  const trans = useTrans();
  const { deployment, mayWrite, made, keys, online } = state;
  if (deployment?.auth_mode !== 'api-key') {
    return null;
  }
  return (
    <section className="jp-pycaret-block">
      <div className="jp-pycaret-block__head">
        <h3 className="jp-pycaret-block__title">{trans.__('Keys')}</h3>
        {mayWrite ? (
          <button
            type="button"
            className="jp-pycaret-button jp-pycaret-button--small"
            disabled={!online}
            onClick={onNew}
          >
            <Icon name="key" />
            {trans.__('New key')}
          </button>
        ) : null}
      </div>
      {made ? <Once key={made.id} secret={made.key} /> : null}
      {keys && keys.length > 0 ? (
        <KeyTable
          keys={keys}
          off={!online}
          clockOffset={model.api.clockOffset}
          onRevoke={onRevoke}
        />
      ) : keys ? (
        <p className="jp-pycaret-hint">
          {trans.__('A program needs a key. It opens this deployment and nothing else.')}
        </p>
      ) : null}
    </section>
  );
}

function Once({ secret }: { readonly secret: string }): JSX.Element {
  const trans = useTrans();
  const { copied, copy } = useCopied();
  return (
    <div className="jp-pycaret-once" role="status">
      <p>
        <b>{trans.__('Copy this key now.')}</b>{' '}
        {trans.__(
          'It is not stored and will not be shown again. It opens this deployment and nothing else.'
        )}
      </p>
      <div className="jp-pycaret-copyline">
        <span className="jp-pycaret-copyline__text jp-pycaret-clip" title={secret}>
          {secret}
        </span>
        <button
          type="button"
          className="jp-pycaret-button jp-pycaret-button--small"
          onClick={() => void copy(secret)}
        >
          <Icon name={copied ? 'check' : 'copy'} />
          {copied ? trans.__('Copied') : trans.__('Copy key')}
        </button>
      </div>
    </div>
  );
}

function KeyTable({
  keys,
  off,
  clockOffset,
  onRevoke
}: {
  readonly keys: ReadonlyArray<IApiKey>;
  readonly off: boolean;
  readonly clockOffset: number;
  readonly onRevoke: (key: IApiKey) => void;
}): JSX.Element {
  const trans = useTrans();
  const now = useNow(true) + clockOffset;
  return (
    <div
      className="jp-pycaret-scroll"
      role="region"
      aria-label={trans.__('Keys of this deployment')}
      // It scrolls sideways: without a stop the keyboard could not.
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
    >
      <table className="jp-pycaret-table" aria-label={trans.__('Keys')}>
        <colgroup>
          {[232, 140, 116, 136, 136, 108].map((width, index) => (
            <col key={index} style={{ width }} />
          ))}
        </colgroup>
        <thead>
          <tr>
            <th scope="col">{trans.__('Name')}</th>
            <th scope="col">{trans.__('Key')}</th>
            <th scope="col">{trans.__('Allowed')}</th>
            <th scope="col">{trans.__('Last used')}</th>
            <th scope="col">{trans.__('Expires')}</th>
            <th scope="col">
              <span className="jp-pycaret-unseen">{trans.__('Action')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {keys.map(key => (
            <KeyRow key={key.id} row={key} now={now} off={off} onRevoke={onRevoke} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function KeyRow({
  row,
  now,
  off,
  onRevoke
}: {
  readonly row: IApiKey;
  readonly now: number;
  readonly off: boolean;
  readonly onRevoke: (key: IApiKey) => void;
}): JSX.Element {
  const trans = useTrans();
  const id = useId();
  const { name, prefix, scopes, deployment_id: own, last_used_at: used, expires_at: ends } = row;
  const left = ends === null ? null : Date.parse(ends) - now;
  return (
    <tr>
      <td id={id}>
        <div className="jp-pycaret-clip" title={name}>
          {name}
        </div>
      </td>
      <td className="jp-pycaret-mono">{`${prefix}…`}</td>
      <td>
        <div
          className="jp-pycaret-clip"
          title={own === null ? trans.__('Opens the whole workspace') : undefined}
        >
          {own === null ? trans.__('%1, whole workspace', scopes.join(', ')) : scopes.join(', ')}
        </div>
      </td>
      <td>{used === null ? trans.__('never') : ago(now - Date.parse(used), trans)}</td>
      <td>
        {left === null ? trans.__('never') : left <= 0 ? trans.__('expired') : ahead(left, trans)}
      </td>
      <td className="jp-pycaret-num">
        <button
          type="button"
          className="jp-pycaret-button jp-pycaret-button--ghost jp-pycaret-button--small"
          aria-describedby={id}
          disabled={off}
          onClick={() => onRevoke(row)}
        >
          {trans.__('Revoke')}
        </button>
      </td>
    </tr>
  );
}

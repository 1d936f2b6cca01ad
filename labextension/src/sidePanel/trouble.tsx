import React, { useState } from 'react';
import { formatTime } from '../common/format';
import { Icon, StatusMark } from '../common/icons';
import { Instead } from '../common/instead';
import { useTrans } from '../common/trans';
import { useCopied } from '../common/useCopied';
import { useNow } from '../common/useNow';
import { useModel, usePanelState } from './context';
import type { ILostConnection } from './state';

const COMMAND = 'pip install jupyter-pycaret-ops';

/**
 * Says since when the rows are old, and when it tries again.
 */
export function LostBar({ lost }: { readonly lost: ILostConnection }): JSX.Element {
  const trans = useTrans();
  const model = useModel();
  const now = useNow(true);
  const seconds = lost.retryAt === null ? null : Math.ceil((lost.retryAt - now) / 1000);
  const sentences = [
    lost.reason,
    lost.reason === null && lost.asOf !== null ? trans.__('Runs go on.') : null,
    lost.asOf === null ? null : trans.__('This is how it was at %1.', formatTime(lost.asOf)),
    seconds !== null && seconds > 0
      ? trans.__('Trying again in %1 s.', String(seconds))
      : trans.__('Trying again.')
  ];
  return (
    <div className="jp-pycaret-notice jp-pycaret-notice--bar">
      <StatusMark status="warning" />
      <div className="jp-pycaret-notice__body">
        <p className="jp-pycaret-notice__title">
          {lost.reason === null
            ? trans.__('Connection lost')
            : trans.__('The server is in trouble')}
        </p>
        <p>{sentences.filter(Boolean).join(' ')}</p>
        <div className="jp-pycaret-notice__actions">
          <button
            type="button"
            className="jp-pycaret-button jp-pycaret-button--small"
            onClick={() => model.refresh()}
          >
            {trans.__('Try now')}
          </button>
        </div>
      </div>
    </div>
  );
}

/**
 * An action that did not work.
 */
export function ActionNotice({ sentence }: { readonly sentence: string }): JSX.Element {
  const trans = useTrans();
  const model = useModel();
  return (
    <div className="jp-pycaret-notice jp-pycaret-notice--bar" role="alert">
      <StatusMark status="failed" />
      <p className="jp-pycaret-notice__body">{sentence}</p>
      <button
        type="button"
        className="jp-pycaret-button jp-pycaret-button--icon"
        aria-label={trans.__('Dismiss')}
        title={trans.__('Dismiss')}
        onClick={() => model.dismissNotice()}
      >
        <Icon name="close" />
      </button>
    </div>
  );
}

export function NoServerPart(): JSX.Element {
  const trans = useTrans();
  const { copied, copy } = useCopied();
  return (
    <Instead
      title={trans.__('PyCaret Ops is not on this server')}
      sentence={trans.__(
        'The panel is installed, its server part is not. Run this where Jupyter runs, then start Jupyter again:'
      )}
    >
      <div className="jp-pycaret-code">
        <pre>{COMMAND}</pre>
        <div className="jp-pycaret-code__foot">
          <span role="status">
            {copied ? trans.__('Copied') : trans.__('In the environment of the server')}
          </span>
          <button
            type="button"
            className="jp-pycaret-button jp-pycaret-button--icon"
            aria-label={trans.__('Copy command')}
            title={trans.__('Copy command')}
            onClick={() => void copy(COMMAND)}
          >
            <Icon name={copied ? 'check' : 'copy'} />
          </button>
        </div>
      </div>
      <LookAgain />
    </Instead>
  );
}

export function Unavailable(): JSX.Element {
  const trans = useTrans();
  const { trouble } = usePanelState();
  return (
    <Instead
      title={trans.__('PyCaret Ops cannot answer now')}
      sentence={trouble ?? trans.__('The server gave no reason.')}
    >
      <LookAgain />
    </Instead>
  );
}

export function NoWorkspace(): JSX.Element {
  const trans = useTrans();
  const model = useModel();
  const [name, setName] = useState('');
  return (
    <Instead
      title={trans.__('Make your first workspace')}
      sentence={trans.__(
        'A workspace holds data, runs, models and deployments, and the people who may use them. Or ask an admin to add you to theirs.'
      )}
    >
      <form
        className="jp-pycaret-stack"
        onSubmit={event => {
          event.preventDefault();
          void model.createWorkspace(name.trim());
        }}
      >
        <label className="jp-pycaret-stack">
          <span>{trans.__('Name')}</span>
          <input
            className="jp-pycaret-input"
            required
            pattern=".*\S.*"
            maxLength={128}
            value={name}
            onChange={event => setName(event.target.value)}
          />
        </label>
        <div>
          <button type="submit" className="jp-pycaret-button jp-pycaret-button--primary">
            {trans.__('Make workspace')}
          </button>
        </div>
      </form>
    </Instead>
  );
}

function LookAgain(): JSX.Element {
  const trans = useTrans();
  const model = useModel();
  return (
    <div>
      <button type="button" className="jp-pycaret-button" onClick={() => model.refresh()}>
        {trans.__('Look again')}
      </button>
    </div>
  );
}

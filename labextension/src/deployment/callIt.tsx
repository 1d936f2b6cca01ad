import React, { useId, useState } from 'react';
import { Icon } from '../common/icons';
import { Tabs } from '../common/tabs';
import { useTrans } from '../common/trans';
import { useCopied } from '../common/useCopied';
import { curlOf, type ICall, magicOf, pythonOf, variableOf } from './calls';
import { read } from './fields';
import type { DeploymentModel, IDeploymentState } from './model';

export interface ICallItProps {
  readonly model: DeploymentModel;
  readonly state: IDeploymentState;
  /** the user's own token, where the page has it */
  readonly token: string;
}

/**
 * The call that gives the answer above, for a shell and for Python.
 */
export function CallIt({ model, state, token }: ICallItProps): JSX.Element | null {
  const trans = useTrans();
  const id = useId();
  const [language, setLanguage] = useState('curl');
  const { copied, copy, reset } = useCopied();
  const { deployment, schema, made, texts } = state;
  if (!deployment || !schema) {
    return null;
  }
  const access = deployment.auth_mode;
  const proba = schema.labels !== null;
  const call: ICall = {
    slug: deployment.endpoint_slug,
    proba,
    url: model.api.address(deployment.endpoint_slug, proba),
    row: read(schema, texts).row,
    access,
    secret: null
  };
  const secret =
    access === 'api-key' ? (made?.key ?? null) : access === 'workspace' ? token || null : null;
  const isCurl = language === 'curl';
  const isMagic = language === 'pcrun';
  const textOf = (known: ICall): string =>
    isMagic ? magicOf(deployment.endpoint_slug) : isCurl ? curlOf(known) : pythonOf(known);
  const variable = variableOf(access);
  const sentence = isMagic
    ? trans.__('In a notebook here: predictions for all rows of the frame df.')
    : !isCurl
      ? trans.__(
          'Paste it into a notebook here. Elsewhere set PYCARET_OPS_URL and PYCARET_OPS_TOKEN first.'
        )
      : variable === null
        ? trans.__('Gives the answer above, to anyone.')
        : secret !== null
          ? access === 'api-key'
            ? trans.__('The copied line holds the key that you just made.')
            : trans.__('The copied line holds your Jupyter token: keep it to yourself.')
          : access === 'api-key'
            ? trans.__('%1 holds a key of this deployment.', variable)
            : trans.__('%1 holds your Jupyter token.', variable);
  return (
    <section className="jp-pycaret-block">
      <div className="jp-pycaret-block__head">
        <h3 className="jp-pycaret-block__title">{trans.__('Call it')}</h3>
        <Tabs
          inline
          label={trans.__('Call it')}
          tabs={[
            { id: 'curl', name: 'curl' },
            { id: 'python', name: 'Python' },
            { id: 'pcrun', name: '%pcrun' }
          ]}
          chosen={language}
          onChoose={chosen => {
            setLanguage(chosen);
            reset();
          }}
          controls={id}
        />
      </div>
      <div className="jp-pycaret-code" id={id} role="tabpanel" aria-label={language}>
        {/* Long lines scroll: without a stop the keyboard could not. */}
        {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
        <pre tabIndex={0}>{textOf(call)}</pre>
        <div className="jp-pycaret-code__foot">
          <span role="status">{copied ? trans.__('Copied. %1', sentence) : sentence}</span>
          <button
            type="button"
            className="jp-pycaret-button jp-pycaret-button--small"
            onClick={() => void copy(textOf({ ...call, secret }))}
          >
            <Icon name={copied ? 'check' : 'copy'} />
            {isMagic
              ? trans.__('Copy %pcrun')
              : isCurl
                ? trans.__('Copy curl')
                : trans.__('Copy Python')}
          </button>
        </div>
      </div>
    </section>
  );
}

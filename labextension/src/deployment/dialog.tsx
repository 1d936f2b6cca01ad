import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React, { useState } from 'react';
import { sentenceOf } from '../api/errors';
import type { IDeployment, IPipeline } from '../api/rows';
import type { Access, IServingApi } from '../api/serving';
import { Field, tied } from '../common/field';
import { TransContext, useTrans } from '../common/trans';

const SLUG = /^[a-z0-9][a-z0-9-]{1,62}[a-z0-9]$/;

interface IChoice {
  readonly slug: string;
  readonly access: Access;
}

/** A name made fit for an address. */
export function slugOf(name: string): string {
  const slug = name
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 64)
    .replace(/-+$/, '');
  return slug.length >= 3 ? slug : `${slug || 'model'}-api`;
}

/**
 * Ask under which name a pipeline shall be called, until the server takes it or the user leaves.
 */
export async function askToDeploy(
  api: IServingApi,
  pipeline: IPipeline,
  trans: TranslationBundle
): Promise<IDeployment | null> {
  let choice: IChoice = { slug: slugOf(pipeline.name), access: 'workspace' };
  let error: string | undefined;
  for (;;) {
    const answer = await showDialog({
      title: trans.__('Deploy %1', `${pipeline.name} v${pipeline.version}`),
      body: new DeployForm(trans, choice, error),
      buttons: [
        Dialog.cancelButton({ label: trans.__('Close') }),
        Dialog.okButton({ label: trans.__('Create deployment') })
      ],
      focusNodeSelector: 'input'
    });
    if (!answer.button.accept || answer.value === null) {
      return null;
    }
    choice = answer.value;
    if (!SLUG.test(choice.slug)) {
      error = trans.__(
        'Only small letters, digits and hyphens, 3 to 64 of them. Try %1.',
        slugOf(choice.slug)
      );
      continue;
    }
    try {
      return await api.deploy(pipeline.id, choice.slug, choice.access);
    } catch (refusal) {
      error = sentenceOf(refusal);
    }
  }
}

class DeployForm extends ReactWidget implements Dialog.IBodyWidget<IChoice> {
  constructor(
    private readonly _trans: TranslationBundle,
    private _choice: IChoice,
    private readonly _error: string | undefined
  ) {
    super();
  }

  getValue(): IChoice {
    return this._choice;
  }

  protected override render(): JSX.Element {
    return (
      <TransContext.Provider value={this._trans}>
        <Fields
          first={this._choice}
          error={this._error}
          onChange={choice => {
            this._choice = choice;
          }}
        />
      </TransContext.Provider>
    );
  }
}

function Fields({
  first,
  error,
  onChange
}: {
  readonly first: IChoice;
  readonly error: string | undefined;
  readonly onChange: (choice: IChoice) => void;
}): JSX.Element {
  const trans = useTrans();
  const [choice, setChoice] = useState(first);
  const [fault, setFault] = useState(error);
  const change = (patch: Partial<IChoice>): void => {
    const next = { ...choice, ...patch };
    setChoice(next);
    setFault(undefined);
    onChange(next);
  };
  const hints: Record<Access, string> = {
    workspace: trans.__('Members of the workspace, with their Jupyter login.'),
    'api-key': trans.__('Whoever has a key. You make keys in the view of the deployment.'),
    public: trans.__('Anyone who reaches this server, without a login.')
  };
  return (
    <div className="jp-pycaret jp-pycaret-form jp-pycaret-form--dialog">
      <Field
        id="jp-pycaret-slug"
        label={trans.__('Endpoint name')}
        error={fault}
        hint={trans.__('It becomes part of the address.')}
      >
        <input
          className="jp-pycaret-input"
          {...tied('jp-pycaret-slug', fault)}
          value={choice.slug}
          onChange={event => change({ slug: event.target.value })}
        />
      </Field>
      <Field id="jp-pycaret-access" label={trans.__('Access')} hint={hints[choice.access]}>
        <select
          className="jp-pycaret-select"
          {...tied('jp-pycaret-access')}
          value={choice.access}
          onChange={event => change({ access: event.target.value as Access })}
        >
          <AccessOptions />
        </select>
      </Field>
    </div>
  );
}

export function AccessOptions(): JSX.Element {
  const trans = useTrans();
  return (
    <>
      <option value="workspace">{trans.__('Workspace')}</option>
      <option value="api-key">{trans.__('API key')}</option>
      <option value="public">{trans.__('Public')}</option>
    </>
  );
}

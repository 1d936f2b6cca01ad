import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { IApiKey, IDeployment, IMadeApiKey, IPipeline } from '../api/rows';
import type { Access, IServingApi } from '../api/serving';
import { ask } from '../common/ask';
import { Field, tied } from '../common/field';
import { useTrans } from '../common/trans';
import { freeKeyName } from './openers';
import type { DeploymentModel } from './model';
import { versionText } from './versions';

const SLUG = /^[a-z0-9][a-z0-9-]{1,62}[a-z0-9]$/;
/** days that a new key may live; null: for ever */
const LIVES = [7, 30, 90, 365, null];

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
 * Ask under which name a pipeline shall be called.
 */
export function askToDeploy(
  api: IServingApi,
  pipeline: IPipeline,
  trans: TranslationBundle
): Promise<IDeployment | null> {
  const first: { slug: string; access: Access } = {
    slug: slugOf(pipeline.name),
    access: 'workspace'
  };
  const hints: Record<Access, string> = {
    workspace: trans.__('Members of the workspace, with their Jupyter login.'),
    'api-key': trans.__('Whoever has a key. You make keys in the view of the deployment.'),
    public: trans.__('Anyone who reaches this server, without a login.')
  };
  return ask({
    trans,
    title: trans.__('Deploy %1', `${pipeline.name} v${pipeline.version}`),
    accept: trans.__('Create deployment'),
    first,
    form: ({ choice, fault, change }) => (
      <>
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
      </>
    ),
    // A name that is refused is said first.
    confirm: ({ slug, access }) =>
      access === 'public' && SLUG.test(slug)
        ? confirmPublic(slug, api.address(slug, false), trans)
        : Promise.resolve(true),
    act: ({ slug, access }) => {
      if (!SLUG.test(slug)) {
        const better = slugOf(slug);
        throw new Error(
          trans.__('Only small letters, digits and hyphens, 3 to 64 of them. Try %1.', better)
        );
      }
      return api.deploy(pipeline.id, slug, access);
    }
  });
}

/**
 * Ask before anyone may call a deployment, and say who that is.
 */
export async function confirmPublic(
  slug: string,
  address: string,
  trans: TranslationBundle
): Promise<boolean> {
  const answer = await showDialog({
    title: trans.__('Make %1 public?', slug),
    body: trans.__(
      'Anyone who reaches %1 can then call it without a login or a key: not only members of the ' +
        'workspace, but everybody in the network of this server, and on the internet where the server ' +
        'is open to it. They get predictions and see the names of columns and labels, not the training ' +
        'data. You can change it back at any time.',
      new URL(address).host
    ),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Back') }),
      Dialog.warnButton({ label: trans.__('Make public') })
    ],
    defaultButton: 0
  });
  return answer.button.accept;
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

/**
 * Ask which version of its model a deployment shall serve, forward or back.
 */
export async function askForVersion(
  model: DeploymentModel,
  trans: TranslationBundle
): Promise<void> {
  const versions = await model.versions();
  const { pipeline } = model.state;
  if (versions === null || pipeline === null) {
    return; // why is said in the view
  }
  const title = trans.__('Change the version of %1', pipeline.name);
  const others = versions.filter(one => one.id !== pipeline.id);
  const serving = versions.find(one => one.id === pipeline.id);
  if (others.length === 0) {
    await showDialog({
      title,
      body: trans.__(
        'There is no other version yet. Promote a run under the name %1, and it becomes version %2.',
        pipeline.name,
        String(pipeline.version + 1)
      ),
      buttons: [Dialog.okButton({ label: trans.__('Close') })]
    });
    return;
  }
  await ask({
    trans,
    title,
    accept: trans.__('Change version'),
    first: { id: others[0]?.id ?? '' },
    form: ({ choice, fault, change }) => (
      <Field
        id="jp-pycaret-version"
        label={trans.__('Version')}
        error={fault}
        hint={trans.__('Takes effect immediately, for every caller. You can go back.')}
      >
        <select
          className="jp-pycaret-select"
          {...tied('jp-pycaret-version', fault)}
          value={choice.id}
          onChange={event => change({ id: event.target.value })}
        >
          {versions.map(one => (
            <option key={one.id} value={one.id} disabled={one.id === pipeline.id}>
              {one.id === pipeline.id
                ? trans.__('%1 · serves now', versionText(one))
                : versionText(one, serving)}
            </option>
          ))}
        </select>
      </Field>
    ),
    act: ({ id }) => model.serve(id)
  });
}

/**
 * Ask for a name and a life, and make a key.
 */
export function askForKey(
  model: DeploymentModel,
  trans: TranslationBundle
): Promise<IMadeApiKey | null> {
  const { deployment, keys } = model.state;
  const first: { name: string; days: number | null } = {
    name: freeKeyName(deployment?.endpoint_slug ?? '', keys ?? []),
    days: 90
  };
  return ask({
    trans,
    title: trans.__('New key for %1', deployment?.endpoint_slug ?? ''),
    accept: trans.__('Create key'),
    first,
    form: ({ choice, fault, change }) => (
      <>
        <Field
          id="jp-pycaret-key-name"
          label={trans.__('Key name')}
          error={fault}
          hint={trans.__('Say which program uses it.')}
        >
          <input
            className="jp-pycaret-input"
            {...tied('jp-pycaret-key-name', fault)}
            maxLength={128}
            value={choice.name}
            onChange={event => change({ name: event.target.value })}
          />
        </Field>
        <Field
          id="jp-pycaret-key-days"
          label={trans.__('Expires')}
          hint={trans.__('Revoke it sooner in the list of keys.')}
        >
          <select
            className="jp-pycaret-select"
            {...tied('jp-pycaret-key-days')}
            value={String(choice.days ?? '')}
            onChange={event =>
              change({ days: event.target.value === '' ? null : Number(event.target.value) })
            }
          >
            {LIVES.map(days => (
              <option key={String(days)} value={String(days ?? '')}>
                {days === null ? trans.__('Never') : trans.__('After %1 days', String(days))}
              </option>
            ))}
          </select>
        </Field>
      </>
    ),
    act: ({ name, days }) => {
      if (name.trim() === '') {
        throw new Error(trans.__('Give the key a name.'));
      }
      return model.createKey(name.trim(), days);
    }
  });
}

/**
 * Ask before a key is revoked: what was refused once cannot be let in again.
 */
export async function askToRevoke(
  model: DeploymentModel,
  key: IApiKey,
  trans: TranslationBundle
): Promise<void> {
  const answer = await showDialog({
    title: trans.__('Revoke %1?', key.name),
    body: trans.__(
      'A program that uses this key is refused from now on. A revoked key cannot be brought back; you can make a new one.'
    ),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Keep') }),
      Dialog.warnButton({ label: trans.__('Revoke') })
    ],
    defaultButton: 0
  });
  if (answer.button.accept) {
    await model.revokeKey(key.id);
  }
}

import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import React from 'react';
import { sentenceOf } from '../api/errors';
import type { IApiKey } from '../api/rows';
import { ServingApi } from '../api/serving';
import { CommandIDs } from '../common/commands';
import { opsIcon } from '../common/icons';
import { addViews } from '../common/openView';
import { DOMAIN } from '../common/trans';
import { ISidePanel } from '../sidePanel/tokens';
import { DeploymentView } from './body';
import { askForKey, askForVersion, askToDeploy, askToRevoke, confirmPublic } from './dialog';
import { DeploymentModel } from './model';

/**
 * The dialog that deploys, and a deployment in a tab of the main area.
 */
export const deploymentPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-pycaret-ops:deployment',
  description: 'Deploys models of PyCaret Ops and shows their deployments.',
  autoStart: true,
  requires: [ISidePanel],
  optional: [ILayoutRestorer, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    panel: ISidePanel,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const settings = app.serviceManager.serverSettings;
    const api = new ServingApi(settings);

    app.commands.addCommand(CommandIDs.deploy, {
      label: trans.__('Deploy model'),
      icon: opsIcon,
      execute: async args => {
        try {
          const pipeline = await api.pipeline(String(args.pipelineId ?? ''));
          const made = await askToDeploy(api, pipeline, trans);
          if (made) {
            panel.model.noteDeployment(made);
            await app.commands.execute(CommandIDs.openDeployment, { id: made.id });
          }
        } catch (error) {
          Notification.error(sentenceOf(error));
        }
      }
    });
    addViews({
      app,
      restorer,
      trans,
      kind: 'deployment',
      command: CommandIDs.openDeployment,
      label: trans.__('Open deployment'),
      title: trans.__('Deployment'),
      make: id => {
        const model = new DeploymentModel(id, api, trans);
        const asks = {
          version: () => void askForVersion(model, trans),
          newKey: () => void askForKey(model, trans),
          revoke: (key: IApiKey) => void askToRevoke(model, key, trans),
          makePublic: () => {
            const slug = model.state.deployment?.endpoint_slug ?? '';
            return confirmPublic(slug, api.address(slug, false), trans);
          }
        };
        return {
          model,
          body: React.createElement(DeploymentView, { model, token: settings.token, asks }),
          title: () => model.state.deployment?.endpoint_slug ?? null
        };
      }
    });
  }
};

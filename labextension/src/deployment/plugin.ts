import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import React from 'react';
import { sentenceOf } from '../api/errors';
import { ServingApi } from '../api/serving';
import { CommandIDs } from '../common/commands';
import { opsIcon } from '../common/icons';
import { Views } from '../common/openView';
import { DOMAIN } from '../common/trans';
import { View } from '../common/view';
import { ISidePanel } from '../sidePanel/tokens';
import { DeploymentView } from './body';
import { askToDeploy } from './dialog';
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
            panel.model.refresh();
            await app.commands.execute(CommandIDs.openDeployment, { id: made.id });
          }
        } catch (error) {
          Notification.error(sentenceOf(error));
        }
      }
    });
    app.commands.addCommand(CommandIDs.openDeployment, {
      label: trans.__('Open deployment'),
      icon: opsIcon,
      execute: async args => {
        const id = String(args.id ?? '');
        if (id !== '') {
          await views.open(id, trans.__('Deployment'), () => make(id));
        }
      }
    });
    const views = new Views({
      app,
      restorer,
      kind: 'deployment',
      command: CommandIDs.openDeployment,
      icon: opsIcon
    });
    const make = (id: string): View => {
      const model = new DeploymentModel(id, api, trans);
      const view: View = new View({
        trans,
        body: React.createElement(DeploymentView, { model, token: settings.token }),
        onShown: shown => model.setActive(shown),
        onDispose: () => model.dispose()
      });
      model.changed.connect(() => {
        const { deployment } = model.state;
        if (view.parent && deployment) {
          view.parent.title.label = deployment.endpoint_slug;
        }
      });
      return view;
    };
  }
};

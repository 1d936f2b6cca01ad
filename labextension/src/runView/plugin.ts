import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import React from 'react';
import { RunApi } from '../api/runs';
import { CommandIDs, CommandsProvider } from '../common/commands';
import { addViews } from '../common/openView';
import { DOMAIN } from '../common/trans';
import { ISidePanel } from '../sidePanel/tokens';
import { RunView } from './body';
import { RunModel } from './model';
import { openNotebook } from './notebook';
import type { IDeployed } from './promote';

/**
 * A run in a tab of the main area.
 */
export const runViewPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-pycaret-ops:run-view',
  description: 'Shows a run of PyCaret Ops while it goes and when it has ended.',
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
    addViews({
      app,
      restorer,
      trans,
      kind: 'run',
      command: CommandIDs.openRun,
      label: trans.__('Open run'),
      title: trans.__('Run'),
      make: id => {
        const model = new RunModel(id, new RunApi(app.serviceManager.serverSettings), trans);
        model.promoted.connect(() => panel.model.refresh());
        model.learned.connect((_, news) => panel.model.hearOfRun(id, news));
        const deployed: IDeployed = {
          changed: panel.model.changed,
          of: pipelineId => panel.model.deploymentOf(pipelineId)
        };
        const onNotebook = app.commands.hasCommand('docmanager:open')
          ? () => void openNotebook(app, model, trans)
          : null;
        return {
          model,
          body: React.createElement(
            CommandsProvider,
            { value: app.commands },
            React.createElement(RunView, { model, deployed, onNotebook })
          ),
          title: () => {
            const { experiment, run } = model.state;
            return experiment?.name ?? run?.plan ?? null;
          }
        };
      }
    });
  }
};

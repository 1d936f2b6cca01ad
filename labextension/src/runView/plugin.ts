import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import React from 'react';
import { RunApi } from '../api/runs';
import { CommandIDs, CommandsProvider } from '../common/commands';
import { opsIcon } from '../common/icons';
import { Views } from '../common/openView';
import { DOMAIN } from '../common/trans';
import { View } from '../common/view';
import { ISidePanel } from '../sidePanel/tokens';
import { RunView } from './body';
import { RunModel } from './model';
import { openNotebook } from './notebook';

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
    app.commands.addCommand(CommandIDs.openRun, {
      label: trans.__('Open run'),
      icon: opsIcon,
      execute: async args => {
        const id = String(args.id ?? '');
        if (id !== '') {
          await views.open(id, trans.__('Run'), () => make(id));
        }
      }
    });
    const views = new Views({
      app,
      restorer,
      kind: 'run',
      command: CommandIDs.openRun,
      icon: opsIcon
    });

    const make = (id: string): View => {
      const api = new RunApi(app.serviceManager.serverSettings);
      const model = new RunModel(id, api, trans);
      const view: View = new View({
        trans,
        body: React.createElement(
          CommandsProvider,
          { value: app.commands },
          React.createElement(RunView, {
            model,
            onNotebook: app.commands.hasCommand('docmanager:open')
              ? () => void openNotebook(app, model, trans)
              : null
          })
        ),
        onShown: shown => model.setActive(shown),
        onDispose: () => model.dispose()
      });
      model.changed.connect(() => {
        const { experiment, run } = model.state;
        const parent = view.parent;
        if (parent && run) {
          parent.title.label = experiment?.name ?? run.plan;
        }
      });
      model.promoted.connect(() => panel.model.refresh());
      return view;
    };
  }
};

import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import React from 'react';
import { DataApi } from '../api/data';
import { CommandIDs, CommandsProvider } from '../common/commands';
import { dataIcon } from '../common/icons';
import { addViews } from '../common/openView';
import { DOMAIN } from '../common/trans';
import { ISidePanel } from '../sidePanel/tokens';
import { DataPage } from './body';
import { askHowToRead } from './dialog';
import { DataModel } from './model';

/**
 * A data source in a tab of the main area.
 */
export const dataPagePlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-pycaret-ops:data-page',
  description: 'Shows how a data source of PyCaret Ops was read, column by column.',
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
      kind: 'data',
      command: CommandIDs.openData,
      label: trans.__('Open data page'),
      title: trans.__('Data'),
      icon: dataIcon,
      make: id => {
        const model = new DataModel(id, new DataApi(app.serviceManager.serverSettings), trans);
        model.patched.connect(() => panel.model.refresh());
        return {
          model,
          body: React.createElement(
            CommandsProvider,
            { value: app.commands },
            React.createElement(DataPage, {
              model,
              onChangeReading: () => void askHowToRead(model, trans)
            })
          ),
          title: () => model.state.source?.name ?? null
        };
      }
    });
  }
};

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { NetworkError, sentenceOf } from '../api/errors';
import { OpsApi } from '../api/client';
import { CommandIDs } from '../common/commands';
import { opsIcon } from '../common/icons';
import { DOMAIN } from '../common/trans';
import { ISidePanel } from '../sidePanel/tokens';
import { freeName, isTaken } from '../sidePanel/uploads';

/**
 * `Train with PyCaret` on a table in the file browser: it becomes a data source, and the form opens.
 */
export const fileBrowserPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-pycaret-ops:file-browser',
  description: 'Trains on a CSV file from the file browser.',
  autoStart: true,
  requires: [ISidePanel, IFileBrowserFactory],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    panel: ISidePanel,
    browsers: IFileBrowserFactory,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const chosen = () => {
      const items = [...(browsers.tracker.currentWidget?.selectedItems() ?? [])];
      const item = items.length === 1 ? items[0] : undefined;
      return item && item.type === 'file' && isTaken(item.name) ? item : null;
    };

    app.commands.addCommand(CommandIDs.trainFile, {
      label: trans.__('Train with PyCaret'),
      icon: opsIcon,
      isVisible: () => chosen() !== null,
      execute: async () => {
        const item = chosen();
        const { workspaceId } = await panel.scope();
        if (item === null) {
          return;
        }
        if (workspaceId === null) {
          panel.open();
          return;
        }
        try {
          const { contents, serverSettings } = app.serviceManager;
          const url = await contents.getDownloadUrl(item.path);
          const blob = await (await fetch(url)).blob();
          const taken = panel.model.state.data.rows.map(row => row.name);
          const row = await new OpsApi(serverSettings).uploadDataSource(workspaceId, {
            name: freeName(item.name, new Set(taken)),
            file: new File([blob], item.name),
            signal: new AbortController().signal,
            onProgress: () => undefined
          });
          panel.model.refresh();
          await app.commands.execute(CommandIDs.newRun, { sourceId: row.id });
        } catch (error) {
          Notification.error(
            error instanceof NetworkError
              ? trans.__('%1 was not uploaded: the server was not reached. Try again.', item.name)
              : trans.__('%1 was not uploaded. %2', item.name, sentenceOf(error))
          );
        }
      }
    });
    app.contextMenu.addItem({
      command: CommandIDs.trainFile,
      selector: '.jp-DirListing-item[data-isdir="false"]',
      rank: 12
    });
  }
};

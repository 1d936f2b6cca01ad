import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { OpsApi } from '../api/client';
import { CommandIDs } from '../common/commands';
import { opsIcon } from '../common/icons';
import { shownId } from '../common/openView';
import { DOMAIN } from '../common/trans';
import { doomedOf } from './doomed';
import { type IMemory, SidePanelModel } from './model';
import { SidePanel } from './panel';
import { type IChosenScope, ISidePanel } from './tokens';

const ID = 'jupyter-pycaret-ops:side-panel';

/**
 * The side bar tab `PyCaret Ops`.
 */
export const sidePanelPlugin: JupyterFrontEndPlugin<ISidePanel> = {
  id: ID,
  description: 'A side panel with the data, runs, models and deployments of PyCaret Ops.',
  autoStart: true,
  optional: [ICommandPalette, ILayoutRestorer, IStateDB, ITranslator],
  provides: ISidePanel,
  activate: (
    app: JupyterFrontEnd,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    stateDB: IStateDB | null,
    translator: ITranslator | null
  ): ISidePanel => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const model = new SidePanelModel({
      api: new OpsApi(app.serviceManager.serverSettings),
      trans,
      // Not awaited here: the state database answers only when all plugins are active.
      memory: recall(stateDB),
      remember: memory => void stateDB?.save(ID, { ...memory, folded: [...memory.folded] })
    });
    const panel = new SidePanel(model, trans, app.commands);
    const open = (): void => app.shell.activateById(panel.id);

    app.shell.add(panel, 'left', { rank: 650, type: 'PyCaret Ops' });
    restorer?.add(panel, panel.id);
    const follow = (): void => model.setShown(shownId(app.shell.currentWidget?.id ?? ''));
    app.shell.currentChanged?.connect(follow);
    follow();

    app.commands.addCommand(CommandIDs.openSidePanel, {
      label: trans.__('Open PyCaret Ops'),
      caption: trans.__('Show data, runs, models and deployments in the side bar'),
      icon: opsIcon,
      execute: async () => {
        // The palette gives the focus back to where it was when it closes: the panel takes it after that.
        await Promise.resolve();
        open();
      }
    });
    palette?.addItem({ command: CommandIDs.openSidePanel, category: trans.__('PyCaret Ops') });

    // By the Delete key, or the context menu of a row.
    const pointedAt = (): string =>
      app.contextMenuHitTest(node => node.dataset.row !== undefined)?.dataset.row ?? '';
    app.commands.addCommand(CommandIDs.deleteRow, {
      label: trans.__('Delete…'),
      isVisible: () => doomedOf(model.state, pointedAt()) !== null,
      execute: () => panel.askToDelete(pointedAt())
    });
    app.contextMenu.addItem({
      command: CommandIDs.deleteRow,
      selector: '.jp-pycaret-panel .jp-pycaret-row'
    });

    const scope = async (): Promise<IChosenScope> => {
      if (model.state.phase !== 'live') {
        // What is wrong is said by the panel.
        await model.reload().catch(() => undefined);
      }
      const { phase, workspaceId, projectId } = model.state;
      return phase === 'live' ? { workspaceId, projectId } : { workspaceId: null, projectId: null };
    };
    return { model, open, scope };
  }
};

/** What an earlier page left; a reader of state never fails. */
async function recall(stateDB: IStateDB | null): Promise<IMemory | null> {
  const left = await stateDB?.fetch(ID).catch(() => undefined);
  if (typeof left !== 'object' || left === null) {
    return null;
  }
  const { workspaceId, projectId, folded } = left as Partial<IMemory>;
  return {
    workspaceId: typeof workspaceId === 'string' ? workspaceId : null,
    projectId: typeof projectId === 'string' ? projectId : null,
    folded: Array.isArray(folded) ? folded : []
  };
}

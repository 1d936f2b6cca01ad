import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILauncher } from '@jupyterlab/launcher';
import { CommandIDs } from '../common/commands';
import { ISidePanel } from '../sidePanel/tokens';

/**
 * A card in the launcher.
 */
export const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-pycaret-ops:launcher',
  description: 'A card in the launcher that starts a run of PyCaret Ops.',
  autoStart: true,
  requires: [ISidePanel, ILauncher],
  activate: (_: JupyterFrontEnd, __: ISidePanel, launcher: ILauncher): void => {
    launcher.add({ command: CommandIDs.newRun, category: 'Other', rank: 5 });
  }
};

import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { dataPagePlugin } from './dataPage/plugin';
import { deploymentPlugin } from './deployment/plugin';
import { fileBrowserPlugin } from './fileBrowser/plugin';
import { launcherPlugin } from './launcher/plugin';
import { newRunPlugin } from './newRun/plugin';
import { runViewPlugin } from './runView/plugin';
import { sidePanelPlugin } from './sidePanel/plugin';
import { watchPlugin } from './watch/plugin';

export { ISidePanel } from './sidePanel/tokens';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  sidePanelPlugin,
  newRunPlugin,
  dataPagePlugin,
  runViewPlugin,
  deploymentPlugin,
  watchPlugin,
  fileBrowserPlugin,
  launcherPlugin
];

export default plugins;

import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { deploymentPlugin } from './deployment/plugin';
import { newRunPlugin } from './newRun/plugin';
import { runViewPlugin } from './runView/plugin';
import { sidePanelPlugin } from './sidePanel/plugin';

export { ISidePanel } from './sidePanel/tokens';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  sidePanelPlugin,
  newRunPlugin,
  runViewPlugin,
  deploymentPlugin
];

export default plugins;

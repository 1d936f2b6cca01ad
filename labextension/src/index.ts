import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { newRunPlugin } from './newRun/plugin';
import { runViewPlugin } from './runView/plugin';
import { sidePanelPlugin } from './sidePanel/plugin';

export { ISidePanel } from './sidePanel/tokens';

const plugins: JupyterFrontEndPlugin<unknown>[] = [sidePanelPlugin, newRunPlugin, runViewPlugin];

export default plugins;

import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { sidePanelPlugin } from './sidePanel/plugin';

export { ISidePanel } from './sidePanel/tokens';

const plugins: JupyterFrontEndPlugin<unknown>[] = [sidePanelPlugin];

export default plugins;

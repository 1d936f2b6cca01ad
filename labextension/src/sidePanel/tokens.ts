import { Token } from '@lumino/coreutils';
import type { SidePanelModel } from './model';

/**
 * What other extensions can ask of the side panel.
 */
export interface ISidePanel {
  /** what the panel shows, and its actions */
  readonly model: SidePanelModel;
  /** bring the panel to the front */
  open(): void;
}

export const ISidePanel = new Token<ISidePanel>(
  'jupyter-pycaret-ops:ISidePanel',
  'The PyCaret Ops side panel: its state, its actions, and a way to open it.'
);

import { Token } from '@lumino/coreutils';
import type { SidePanelModel } from './model';

export interface IChosenScope {
  readonly workspaceId: string | null;
  readonly projectId: string | null;
}

/**
 * What other extensions can ask of the side panel.
 */
export interface ISidePanel {
  /** what the panel shows, and its actions */
  readonly model: SidePanelModel;
  /** the workspace and project that are chosen, read first where they are not known yet */
  scope(): Promise<IChosenScope>;
  /** bring the panel to the front */
  open(): void;
}

export const ISidePanel = new Token<ISidePanel>(
  'jupyter-pycaret-ops:ISidePanel',
  'The PyCaret Ops side panel: its state, its actions, and a way to open it.'
);

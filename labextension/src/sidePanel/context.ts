import { createContext, useContext } from 'react';
import { useSignal } from '../common/useSignal';
import type { SidePanelModel } from './model';
import type { IPanelState } from './state';

const ModelContext = createContext<SidePanelModel | null>(null);

export const ModelProvider = ModelContext.Provider;

/** Asks whether the row with an id shall go. */
const DeleteContext = createContext<(id: string) => void>(() => undefined);

export const DeleteProvider = DeleteContext.Provider;

export function useDelete(): (id: string) => void {
  return useContext(DeleteContext);
}

export function useModel(): SidePanelModel {
  const model = useContext(ModelContext);
  if (model === null) {
    throw new Error('There is no ModelProvider above this component.');
  }
  return model;
}

export function usePanelState(): IPanelState {
  const model = useModel();
  return useSignal(model.changed, () => model.state);
}

import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { createContext, useContext } from 'react';

/** All commands; each capability brings its own. */
export const CommandIDs = {
  openSidePanel: 'pycaret-ops:open-side-panel',
  newRun: 'pycaret-ops:new-run',
  openData: 'pycaret-ops:open-data',
  openRun: 'pycaret-ops:open-run',
  deploy: 'pycaret-ops:deploy',
  openDeployment: 'pycaret-ops:open-deployment',
  deleteRow: 'pycaret-ops:delete-row',
  trainFile: 'pycaret-ops:train-file'
} as const;

type Commands = Pick<CommandRegistry, 'hasCommand' | 'execute'>;

const CommandsContext = createContext<Commands | null>(null);

export const CommandsProvider = CommandsContext.Provider;

export type Execute = (args?: ReadonlyPartialJSONObject) => void;

/**
 * What does a command, or null where the capability that brings it is not there.
 */
export function useCommand(id: string): Execute | null {
  const commands = useContext(CommandsContext);
  return commands?.hasCommand(id) ? args => void commands.execute(id, args) : null;
}

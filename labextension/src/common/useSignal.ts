import type { ISignal } from '@lumino/signaling';
import { useCallback, useSyncExternalStore } from 'react';

/**
 * What `read` gives, again whenever the signal fires.
 *
 * `read` must return the same object until the model changes.
 */
export function useSignal<T>(changed: ISignal<unknown, unknown>, read: () => T): T {
  const subscribe = useCallback(
    (notify: () => void) => {
      changed.connect(notify);
      return () => {
        changed.disconnect(notify);
      };
    },
    [changed]
  );
  return useSyncExternalStore(subscribe, read);
}

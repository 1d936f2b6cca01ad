/**
 * Call back once somebody can see the page: at once where it is in sight already.
 *
 * Returns what gives up the wait.
 */
export function whenVisible(callback: () => void): () => void {
  if (!pageIsHidden()) {
    callback();
    return () => undefined;
  }
  const look = (): void => {
    if (!pageIsHidden()) {
      document.removeEventListener('visibilitychange', look);
      callback();
    }
  };
  document.addEventListener('visibilitychange', look);
  return () => document.removeEventListener('visibilitychange', look);
}

/** Whether the browser shows another tab, or nothing of this one. */
export function pageIsHidden(): boolean {
  return typeof document !== 'undefined' && document.hidden;
}

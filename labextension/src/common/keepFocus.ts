import { DisposableDelegate, type IDisposable } from '@lumino/disposable';

/**
 * Keep the focus inside of a node when what held it goes: with new data, or with its own action.
 *
 * Without it the keyboard would begin again at the top of the page. The node takes the focus itself, so
 * the next Tab reaches its first control.
 */
export function keepFocus(node: HTMLElement): IDisposable {
  let held: Element | null = null;
  const enter = (event: FocusEvent): void => {
    held = event.target instanceof Element ? event.target : null;
  };
  const leave = (event: FocusEvent): void => {
    // Where it went nowhere, what held it may be about to go.
    if (event.relatedTarget !== null) {
      held = null;
    }
  };
  const observer = new MutationObserver(() => {
    if (held && !held.isConnected) {
      held = null;
      if (document.activeElement === document.body) {
        node.focus({ preventScroll: true });
      }
    }
  });
  node.addEventListener('focusin', enter);
  node.addEventListener('focusout', leave);
  observer.observe(node, { childList: true, subtree: true });
  return new DisposableDelegate(() => {
    observer.disconnect();
    node.removeEventListener('focusin', enter);
    node.removeEventListener('focusout', leave);
  });
}

import { type RefObject, useLayoutEffect, useState } from 'react';

/**
 * Whether an element is at least so wide, in px; again whenever it changes its size.
 */
export function useWide(node: RefObject<HTMLElement>, width: number): boolean {
  const [wide, setWide] = useState(false);
  useLayoutEffect(() => {
    const element = node.current;
    if (!element) {
      return;
    }
    const look = (): void => {
      // A hidden tab has no width: it keeps its layout.
      if (element.clientWidth > 0) {
        setWide(element.clientWidth >= width);
      }
    };
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => observer.disconnect();
  }, [node, width]);
  return wide;
}

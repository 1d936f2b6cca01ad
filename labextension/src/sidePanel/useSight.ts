import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { type Piece, piecesOf } from '../common/window';

/** height of a row that was never drawn, px */
const ROW = 50;
/** px drawn above and below what is in sight */
const MARGIN = 300;
/** px to scroll before anything is drawn anew */
const STEP = 100;
/** drawn before anything is known of the place that the list has, px */
const FIRST: IStretch = { top: 0, bottom: 1000 };

interface IStretch {
  readonly top: number;
  readonly bottom: number;
}

/**
 * What to draw of a list that scrolls with what is around it. Rows have the height that they have.
 */
export function useSight(
  list: RefObject<HTMLElement>,
  scroller: string,
  ids: ReadonlyArray<string>,
  kept: number | null
): ReadonlyArray<Piece> {
  const [{ top, bottom }, setStretch] = useState(FIRST);
  const heights = useRef(new Map<string, number>());

  const look = useRef(() => {
    const node = list.current;
    const box = node?.closest<HTMLElement>(scroller);
    if (!node || !box || box.clientHeight === 0) {
      return; // nobody can see it
    }
    const above = box.getBoundingClientRect().top - node.getBoundingClientRect().top;
    const now = { top: above - MARGIN, bottom: above + box.clientHeight + MARGIN };
    setStretch(old =>
      Math.abs(old.top - now.top) < STEP && Math.abs(old.bottom - now.bottom) < STEP ? old : now
    );
  });

  useEffect(() => {
    const box = list.current?.closest<HTMLElement>(scroller);
    if (!box) {
      return;
    }
    const again = look.current;
    const sizes = new ResizeObserver(again);
    sizes.observe(box);
    box.addEventListener('scroll', again, { passive: true });
    return () => {
      sizes.disconnect();
      box.removeEventListener('scroll', again);
    };
  }, [list, scroller]);

  // What stands above may have grown, too.
  useLayoutEffect(() => {
    for (const row of list.current?.querySelectorAll<HTMLElement>('[data-row]') ?? []) {
      heights.current.set(row.dataset.row ?? '', row.offsetHeight || ROW);
    }
    look.current();
  });

  return piecesOf(
    ids.map(id => heights.current.get(id) ?? ROW),
    top,
    bottom,
    kept
  );
}

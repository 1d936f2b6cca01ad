import type React from 'react';
import { useEffect, useRef, useState } from 'react';
import type { ILeaderboardRow } from '../api/rows';

/** ms for which a new row is lit */
const LIT = 1200;

/** Whether pointer or focus is inside: rows then keep their place. */
export function useInside(): {
  readonly inside: boolean;
  readonly handlers: Pick<
    React.HTMLAttributes<HTMLElement>,
    'onPointerEnter' | 'onPointerLeave' | 'onFocus' | 'onBlur'
  >;
} {
  const [pointed, setPointed] = useState(false);
  const [focused, setFocused] = useState(false);
  return {
    inside: pointed || focused,
    handlers: {
      onPointerEnter: () => setPointed(true),
      onPointerLeave: () => setPointed(false),
      onFocus: () => setFocused(true),
      onBlur: event => setFocused(event.currentTarget.contains(event.relatedTarget))
    }
  };
}

/** The rows in the order that they had, new ones below, while `held`. */
export function useHeld(
  rows: ReadonlyArray<ILeaderboardRow>,
  held: boolean
): ReadonlyArray<ILeaderboardRow> {
  const order = useRef<ReadonlyArray<string>>([]);
  let shown = rows;
  if (held) {
    const places = new Map(order.current.map((id, index) => [id, index]));
    const place = (row: ILeaderboardRow) => places.get(row.model_id) ?? places.size;
    shown = [...rows].sort((a, b) => place(a) - place(b));
  }
  order.current = shown.map(row => row.model_id);
  return shown;
}

const NONE: ReadonlySet<string> = new Set();

/** The models whose rows have just come; those that were there at first are not new. */
export function useFresh(rows: ReadonlyArray<ILeaderboardRow>): ReadonlySet<string> {
  const [fresh, setFresh] = useState(NONE);
  const known = useRef(new Set(rows.map(row => row.model_id)));
  const timers = useRef(new Set<number>());
  useEffect(() => {
    const came = rows.map(row => row.model_id).filter(id => !known.current.has(id));
    if (came.length === 0) {
      return;
    }
    came.forEach(id => known.current.add(id));
    setFresh(lit => new Set([...lit, ...came]));
    const timer = window.setTimeout(() => {
      timers.current.delete(timer);
      setFresh(lit => new Set([...lit].filter(id => !came.includes(id))));
    }, LIT);
    timers.current.add(timer);
  }, [rows]);
  useEffect(() => {
    const running = timers.current;
    return () => running.forEach(timer => window.clearTimeout(timer));
  }, []);
  return fresh;
}

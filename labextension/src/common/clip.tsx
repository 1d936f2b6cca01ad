import React, { useLayoutEffect, useRef } from 'react';

/**
 * One line that is cut where it does not fit; the tooltip has all of it.
 */
export function Clip({
  as: Tag = 'span',
  className = '',
  children
}: {
  readonly as?: 'span' | 'p' | 'div';
  readonly className?: string;
  readonly children: React.ReactNode;
}): JSX.Element {
  const node = useRef<HTMLElement | null>(null);
  useLayoutEffect(() => {
    const box = node.current;
    const text = box?.textContent ?? '';
    if (box && box.title !== text) {
      box.title = text;
    }
  });
  return (
    <Tag
      ref={(box: HTMLElement | null) => {
        node.current = box;
      }}
      className={`jp-pycaret-clip ${className}`.trim()}
    >
      {children}
    </Tag>
  );
}

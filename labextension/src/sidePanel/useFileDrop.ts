import type React from 'react';
import { useRef, useState } from 'react';

/** While a file hangs over the panel: whether its kind can be taken, as far as one can tell. */
export type Hovering = 'taken' | 'refused' | null;

export interface IFileDrop {
  readonly hovering: Hovering;
  readonly handlers: Pick<
    React.HTMLAttributes<HTMLElement>,
    'onDragEnter' | 'onDragOver' | 'onDragLeave' | 'onDrop'
  >;
}

/**
 * Take files from outside the browser, dropped anywhere on an element.
 */
export function useFileDrop(on: boolean, take: (files: File[]) => void): IFileDrop {
  const [hovering, setHovering] = useState<Hovering>(null);
  // enter and leave come for each element on the way
  const depth = useRef(0);

  const over = (event: React.DragEvent): void => {
    if (!event.dataTransfer.types.includes('Files')) {
      return;
    }
    event.preventDefault();
    const kind = on ? kindOf(event.dataTransfer.items) : null;
    event.dataTransfer.dropEffect = kind === 'taken' ? 'copy' : 'none';
    setHovering(kind);
  };
  const out = (): void => {
    depth.current = 0;
    setHovering(null);
  };

  return {
    hovering,
    handlers: {
      onDragEnter: event => {
        depth.current += 1;
        over(event);
      },
      onDragOver: over,
      onDragLeave: () => {
        depth.current -= 1;
        if (depth.current <= 0) {
          out();
        }
      },
      onDrop: event => {
        const files = [...event.dataTransfer.files];
        out();
        if (files.length > 0) {
          event.preventDefault();
          if (on) {
            take(files);
          }
        }
      }
    }
  };
}

/** A browser tells the type of a file before it is dropped, not its name. */
function kindOf(items: DataTransferItemList): Hovering {
  const never = /^(image|audio|video|font)\/|^application\/(pdf|zip|json)$|^text\/html$/;
  const files = [...items].filter(item => item.kind === 'file');
  return files.length > 0 && files.every(item => never.test(item.type)) ? 'refused' : 'taken';
}

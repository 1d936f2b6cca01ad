import { useState } from 'react';

/** Copying to the clipboard, and whether it was done; `reset` says that what was copied is another thing now. */
export function useCopied(): {
  readonly copied: boolean;
  readonly copy: (text: string) => Promise<void>;
  readonly reset: () => void;
} {
  const [copied, setCopied] = useState(false);
  return {
    copied,
    copy: async text => {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    },
    reset: () => setCopied(false)
  };
}

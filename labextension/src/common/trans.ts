import type { TranslationBundle } from '@jupyterlab/translation';
import { nullTranslator } from '@jupyterlab/translation';
import { createContext, useContext } from 'react';

/** The domain of our texts in language packs. */
export const DOMAIN = 'jupyter_pycaret_ops';

export const TransContext = createContext<TranslationBundle>(nullTranslator.load(DOMAIN));

/**
 * The texts in the user's language.
 */
export function useTrans(): TranslationBundle {
  return useContext(TransContext);
}

import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { TranslationBundle } from '@jupyterlab/translation';
import { sentenceOf } from '../api/errors';
import type { RunModel } from './model';

/**
 * Put the notebook that does a run again beside the user's files, and open it.
 */
export async function openNotebook(
  app: JupyterFrontEnd,
  model: RunModel,
  trans: TranslationBundle
): Promise<void> {
  const { contents } = app.serviceManager;
  const { experiment, run } = model.state;
  try {
    const content = await model.api.notebook(model.id);
    const stem = [experiment?.name, run?.plan]
      .filter(Boolean)
      .join('-')
      .replace(/[^\p{L}\p{N}._-]+/gu, '-');
    const taken = new Set(
      (((await contents.get('')).content ?? []) as Array<{ name: string }>).map(file => file.name)
    );
    let path = `${stem}.ipynb`;
    for (let n = 2; taken.has(path); n += 1) {
      path = `${stem}-${n}.ipynb`;
    }
    await contents.save(path, { type: 'notebook', format: 'json', content });
    await app.commands.execute('docmanager:open', { path });
  } catch (error) {
    model.say(trans.__('The notebook was not opened. %1', sentenceOf(error)));
  }
}

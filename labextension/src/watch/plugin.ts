import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import type { IRun } from '../api/rows';
import { RunApi } from '../api/runs';
import { CommandIDs } from '../common/commands';
import { formatScore } from '../common/format';
import { shownId } from '../common/openView';
import { DOMAIN } from '../common/trans';
import { ISidePanel } from '../sidePanel/tokens';
import { RunsItem } from './item';
import { RunWatch } from './model';

const ID = 'jupyter-pycaret-ops:watch';

/**
 * A count in the status bar, and a notification when a run has ended.
 */
export const watchPlugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Counts runs of PyCaret Ops in the status bar and says when one has ended.',
  autoStart: true,
  requires: [ISidePanel],
  optional: [IStatusBar, ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    panel: ISidePanel,
    statusBar: IStatusBar | null,
    settings: ISettingRegistry | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const watch = new RunWatch(panel.model, new RunApi(app.serviceManager.serverSettings));
    let notifies = true;
    settings
      ?.load(ID)
      .then(loaded => {
        const read = (): void => {
          notifies = loaded.get('notifyWhenRunEnds').composite !== false;
        };
        read();
        loaded.changed.connect(read);
      })
      .catch((error: unknown) => console.warn(`Settings of ${ID} were not read.`, error));

    // Who looks at a run sees how it ends.
    const isInFront = (id: string): boolean => {
      const widget = app.shell.currentWidget;
      return widget !== null && widget.isVisible && shownId(widget.id) === id;
    };
    watch.ended.connect((_, run) => {
      if (notifies && !isInFront(run.id)) {
        notify(app, watch.nameOf(run), run, trans);
      }
    });
    statusBar?.registerStatusItem(ID, {
      item: new RunsItem(watch, trans, panel.open),
      align: 'right',
      rank: 100
    });
  }
};

/** ms for which good news stay in sight; without a time JupyterLab shows a notification nowhere but in its list */
const IN_SIGHT = 8000;

function notify(app: JupyterFrontEnd, name: string, run: IRun, trans: TranslationBundle): void {
  const best = run.metrics_summary.best;
  const failed = run.status === 'failed';
  const options: Notification.IOptions<null> = {
    // a failure stays until somebody has seen it
    autoClose: failed ? false : IN_SIGHT,
    actions: app.commands.hasCommand(CommandIDs.openRun)
      ? [
          {
            label: trans.__('Open'),
            callback: () => void app.commands.execute(CommandIDs.openRun, { id: run.id })
          }
        ]
      : []
  };
  if (failed) {
    Notification.error(trans.__('%1 failed. %2', name, run.error ?? ''), options);
  } else if (run.status === 'cancelled') {
    Notification.info(trans.__('%1 was cancelled.', name), options);
  } else if (best) {
    const figure = `${run.metrics_summary.metric ?? ''} ${formatScore(best.value)}`;
    Notification.success(
      trans.__('%1 has ended: %2, %3.', name, best.name ?? best.model_id, figure),
      options
    );
  } else {
    Notification.success(trans.__('%1 has ended.', name), options);
  }
}

import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import { addIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { Widget } from '@lumino/widgets';
import React from 'react';
import { TrainingApi } from '../api/training';
import { CommandIDs, CommandsProvider } from '../common/commands';
import { DOMAIN } from '../common/trans';
import { View } from '../common/view';
import { ISidePanel } from '../sidePanel/tokens';
import { NewRunForm } from './body';
import { NewRunModel } from './model';

const ID = 'jupyter-pycaret-ops:new-run';

interface IStart {
  readonly sourceId: string | null;
  readonly version: number | null;
  readonly runId: string | null;
  /** parameters that differ from those of that run */
  readonly changes: Readonly<Record<string, unknown>>;
}

/**
 * The form for a new run, in a tab of the main area.
 */
export const newRunPlugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'A form that starts a run of PyCaret Ops.',
  autoStart: true,
  requires: [ISidePanel],
  optional: [ICommandPalette, ILayoutRestorer, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    panel: ISidePanel,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const tracker = new WidgetTracker<MainAreaWidget<View>>({ namespace: 'pycaret-ops-new-run' });
    const starts = new WeakMap<MainAreaWidget<View>, IStart>();
    const models = new WeakMap<Widget, NewRunModel>();
    // The side panel marks the data of the form in front.
    const mark = (): void => {
      const current = app.shell.currentWidget;
      const model = current ? models.get(current) : undefined;
      if (model) {
        panel.model.setShown(model.state.sourceId || null);
      }
    };
    app.shell.currentChanged?.connect(mark);

    app.commands.addCommand(CommandIDs.newRun, {
      label: trans.__('New PyCaret run'),
      caption: trans.__('Train models on a data source'),
      icon: addIcon,
      execute: async args => {
        const { workspaceId, projectId } = await panel.scope();
        if (workspaceId === null || projectId === null) {
          // The panel says what is missing and what to do.
          panel.open();
          return;
        }
        const start: IStart = {
          sourceId: textOrNull(args.sourceId),
          version: typeof args.version === 'number' ? args.version : null,
          runId: textOrNull(args.runId),
          changes: (args.changes ?? {}) as Readonly<Record<string, unknown>>
        };
        const model = new NewRunModel({
          api: new TrainingApi(app.serviceManager.serverSettings),
          trans,
          workspaceId,
          projectId,
          ...start
        });
        // One form at a time: what was begun is over when another is asked for.
        tracker.currentWidget?.dispose();
        const widget = formOf(model, app.commands, trans);
        model.started.connect((_, run) => {
          panel.model.noteRun(run);
          widget.dispose();
          if (app.commands.hasCommand(CommandIDs.openRun)) {
            void app.commands.execute(CommandIDs.openRun, { id: run.id });
          }
        });
        starts.set(widget, start);
        models.set(widget, model);
        model.changed.connect(mark);
        await tracker.add(widget);
        app.shell.add(widget, 'main');
        app.shell.activateById(widget.id);
        void model.load();
      }
    });
    palette?.addItem({ command: CommandIDs.newRun, category: trans.__('PyCaret Ops') });
    void restorer?.restore(tracker, {
      command: CommandIDs.newRun,
      args: widget => ({ ...starts.get(widget) }) as ReadonlyPartialJSONObject,
      name: () => 'new-run'
    });
  }
};

function formOf(
  model: NewRunModel,
  commands: JupyterFrontEnd['commands'],
  trans: TranslationBundle
): MainAreaWidget<View> {
  const view: View = new View({
    trans,
    body: React.createElement(
      CommandsProvider,
      { value: commands },
      React.createElement(NewRunForm, { model, onClose: () => widget.dispose() })
    ),
    onDispose: () => model.dispose()
  });
  const widget = new MainAreaWidget<View>({ content: view });
  widget.id = 'jupyter-pycaret-ops-new-run';
  widget.title.label = trans.__('New run');
  widget.title.icon = addIcon;
  widget.title.closable = true;
  widget.toolbar.hide();
  return widget;
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { ISignal } from '@lumino/signaling';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { LabIcon } from '@jupyterlab/ui-components';
import { opsIcon } from './icons';
import { View } from './view';

const PREFIX = 'jupyter-pycaret-ops-view-';

/** The id of the row that a tab shows, from the tab's own; null for a tab that is none of ours. */
export function shownId(tab: string): string | null {
  return tab.startsWith(PREFIX) ? tab.slice(tab.indexOf('-', PREFIX.length) + 1) : null;
}

/** State behind a view. */
export interface IViewModel {
  readonly changed: ISignal<unknown, void>;
  /** Say whether anybody can see it: it asks the server only then. */
  setActive(active: boolean): void;
  dispose(): void;
}

export interface IContent {
  readonly model: IViewModel;
  readonly body: JSX.Element;
  /** what the tab is called; null as long as that is not known */
  readonly title: () => string | null;
}

export interface IViewsOptions {
  readonly app: JupyterFrontEnd;
  readonly restorer: ILayoutRestorer | null;
  readonly trans: TranslationBundle;
  /** what kind of views these are; stable, for it names their place after a reload */
  readonly kind: string;
  /** the command that opens one, with `{ id }` */
  readonly command: string;
  readonly label: string;
  /** the tab's name at first */
  readonly title: string;
  /** the tab's mark, where it is not that of the product */
  readonly icon?: LabIcon;
  readonly make: (id: string) => IContent;
}

/**
 * A command that opens tabs of one kind in the main area, one for each id; they are there again after
 * a reload.
 */
export function addViews(options: IViewsOptions): void {
  const { app, restorer, trans, kind, command, label, title, make } = options;
  const icon = options.icon ?? opsIcon;
  const prefix = PREFIX + kind + '-';
  const idOf = (widget: MainAreaWidget<View>): string => shownId(widget.id) ?? '';
  const tracker = new WidgetTracker<MainAreaWidget<View>>({ namespace: `pycaret-ops-${kind}` });

  const open = async (id: string): Promise<void> => {
    const known = tracker.find(widget => idOf(widget) === id);
    const widget = known ?? tabOf(make(id), trans);
    if (!known) {
      widget.id = prefix + id;
      widget.title.label = title;
      widget.title.icon = icon;
      widget.title.closable = true;
      widget.toolbar.hide();
      await tracker.add(widget);
      app.shell.add(widget, 'main');
    }
    app.shell.activateById(widget.id);
  };

  app.commands.addCommand(command, {
    label,
    icon,
    execute: async args => {
      const id = String(args.id ?? '');
      if (id !== '') {
        await open(id);
      }
    }
  });
  void restorer?.restore(tracker, {
    command,
    args: widget => ({ id: idOf(widget), restored: true }),
    name: idOf
  });
}

function tabOf({ model, body, title }: IContent, trans: TranslationBundle): MainAreaWidget<View> {
  const widget = new MainAreaWidget<View>({
    content: new View({
      trans,
      body,
      onShown: shown => model.setActive(shown),
      onDispose: () => model.dispose()
    })
  });
  model.changed.connect(() => {
    widget.title.label = title() ?? widget.title.label;
  });
  return widget;
}

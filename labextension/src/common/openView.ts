import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { LabIcon } from '@jupyterlab/ui-components';
import type { View } from './view';

export interface IViewsOptions {
  readonly app: JupyterFrontEnd;
  readonly restorer: ILayoutRestorer | null;
  /** what kind of views these are; stable, for it names their place after a reload */
  readonly kind: string;
  /** the command that opens one, with `{ id }` */
  readonly command: string;
  readonly icon: LabIcon;
}

/**
 * Tabs of one kind in the main area, one for each id; they are there again after a reload.
 */
export class Views {
  constructor(private readonly _options: IViewsOptions) {
    const { kind, restorer, command } = _options;
    this._tracker = new WidgetTracker<MainAreaWidget<View>>({ namespace: `pycaret-ops-${kind}` });
    void restorer?.restore(this._tracker, {
      command,
      args: widget => ({ id: this._idOf(widget), restored: true }),
      name: widget => this._idOf(widget)
    });
  }

  /**
   * Show the view of an id; `make` is asked where there is none.
   */
  async open(id: string, title: string, make: () => View): Promise<MainAreaWidget<View>> {
    const known = this._tracker.find(widget => this._idOf(widget) === id);
    const { app, icon } = this._options;
    const widget = known ?? new MainAreaWidget<View>({ content: make() });
    if (!known) {
      widget.id = this._prefix + id;
      widget.title.label = title;
      widget.title.icon = icon;
      widget.title.closable = true;
      widget.toolbar.hide();
      await this._tracker.add(widget);
      app.shell.add(widget, 'main');
    }
    app.shell.activateById(widget.id);
    return widget;
  }

  private get _prefix(): string {
    return `jupyter-pycaret-ops-${this._options.kind}-`;
  }

  private _idOf(widget: MainAreaWidget<View>): string {
    return widget.id.slice(this._prefix.length);
  }

  private readonly _tracker: WidgetTracker<MainAreaWidget<View>>;
}

import React, { useEffect, useId, useRef, useState } from 'react';
import { sentenceOf } from '../api/errors';
import { Tabs } from '../common/tabs';
import { useTrans } from '../common/trans';
import type { RunModel } from './model';
import type { IRunState } from './state';

/**
 * Plots of the best model. What draws them is loaded with the first one.
 */
export function Plots({
  model,
  state
}: {
  readonly model: RunModel;
  readonly state: IRunState;
}): JSX.Element | null {
  const trans = useTrans();
  const id = useId();
  const [asked, setAsked] = useState<string | null>(null);
  const { plots, plotNames } = state;
  if (plots.length === 0) {
    return null;
  }
  const chosen = plots.find(plot => plot.id === asked)?.id ?? plots[0]?.id ?? '';
  const names = new Map(plotNames.map(plot => [plot.id, plot.name]));
  const tabs = plots.map(plot => ({ id: plot.id, name: names.get(plot.id) ?? plot.id }));
  return (
    <section className="jp-pycaret-block" aria-label={trans.__('Plots')}>
      <Tabs
        label={trans.__('Plots')}
        tabs={tabs}
        chosen={chosen}
        onChoose={setAsked}
        controls={id}
      />
      <Plot
        key={chosen}
        id={id}
        model={model}
        plotId={chosen}
        name={tabs.find(tab => tab.id === chosen)?.name ?? chosen}
      />
    </section>
  );
}

function Plot({
  id,
  model,
  plotId,
  name
}: {
  readonly id: string;
  readonly model: RunModel;
  readonly plotId: string;
  readonly name: string;
}): JSX.Element {
  const trans = useTrans();
  const node = useRef<HTMLDivElement>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const theme = useTheme();

  useEffect(() => {
    const box = node.current;
    let gone = false;
    let purge = (): void => undefined;
    const draw = async (): Promise<void> => {
      const [plotly, figure] = await Promise.all([
        import('plotly.js-dist-min'),
        model.api.plot(model.id, plotId)
      ]);
      if (gone || !box) {
        return;
      }
      purge = () => plotly.purge(box);
      const { data, layout } = dressed(figure);
      await plotly.react(box, data, layout, {
        responsive: true,
        displaylogo: false,
        displayModeBar: false
      });
    };
    draw().catch((error: unknown) => {
      if (!gone) {
        setTrouble(sentenceOf(error));
      }
    });
    return () => {
      gone = true;
      purge();
    };
  }, [model, plotId, theme]);

  return (
    <div id={id} role="tabpanel" aria-label={name}>
      {trouble ? (
        <p className="jp-pycaret-hint">{trans.__('This plot cannot be shown. %1', trouble)}</p>
      ) : null}
      <div ref={node} className="jp-pycaret-plotly" role="img" aria-label={name} />
    </div>
  );
}

interface IFigure {
  readonly data: unknown[];
  readonly layout: Record<string, unknown>;
}

/** Colours of the engine's figures, and the variable that each one stands for. */
const COLOURS: ReadonlyArray<readonly [RegExp, string]> = [
  [/#5B8DEF/gi, '--jp-brand-color1'],
  [/#E2E8F0/gi, '--jp-border-color2'],
  [/#1E293B/gi, '--jp-ui-font-color1'],
  [/#FFFFFF/gi, '--jp-layout-color1']
];

/** A figure in the colours and the font of the theme. */
function dressed(figure: unknown): IFigure {
  const style = getComputedStyle(document.body);
  const read = (name: string): string => style.getPropertyValue(name).trim();
  let text = JSON.stringify(figure);
  for (const [colour, name] of COLOURS) {
    text = text.replace(colour, read(name));
  }
  const { data, layout } = JSON.parse(text) as IFigure;
  return {
    data,
    layout: {
      ...layout,
      // The tab has the title.
      title: undefined,
      autosize: true,
      height: 340,
      margin: { l: 56, r: 16, t: 16, b: 48 },
      paper_bgcolor: 'rgba(0,0,0,0)',
      plot_bgcolor: 'rgba(0,0,0,0)',
      font: {
        family: read('--jp-ui-font-family'),
        size: 11,
        color: read('--jp-ui-font-color1')
      }
    }
  };
}

/** The name of the theme, again whenever it changes. */
function useTheme(): string {
  const read = (): string => document.body.dataset.jpThemeName ?? '';
  const [theme, setTheme] = useState(read);
  useEffect(() => {
    const observer = new MutationObserver(() => setTheme(read()));
    observer.observe(document.body, { attributeFilter: ['data-jp-theme-name'] });
    return () => observer.disconnect();
  }, []);
  return theme;
}

declare module 'plotly.js-dist-min' {
  export function react(
    node: HTMLElement,
    data: unknown[],
    layout: object,
    config: object
  ): Promise<unknown>;
  export function purge(node: HTMLElement): void;
}

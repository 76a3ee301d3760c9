const NAMES = ['card', 'edge', 'grid', 'ink', 'muted', 'good', 'slow', 'bad', 'busy', 'calm', 'saved'] as const;
const LANES = ['lane-0', 'lane-1', 'lane-2', 'lane-3'] as const;

/** The colours of the style sheet, for the canvas. */
export type Theme = Readonly<Record<(typeof NAMES)[number], string>> & { readonly lanes: readonly string[] };

const read = (): Theme => {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    ...(Object.fromEntries(NAMES.map((name) => [name, colour(name)])) as Record<(typeof NAMES)[number], string>),
    lanes: LANES.map(colour),
  };
};

/** The present theme; it changes with that of the browser. */
export const followTheme = (changed: () => void): (() => Theme) => {
  let theme = read();
  matchMedia('(prefers-color-scheme: light)').addEventListener('change', () => {
    theme = read();
    changed();
  });
  return () => theme;
};

import { StreamError } from '../../../pipelines/model/index.ts';
import { ADVICE } from '../../http/error-advice.ts';
import type { Trial } from '../trials/trial.ts';

export type Area =
  | 'configuration'
  | 'daemon'
  | 'files'
  | 'ports'
  | 'catalog'
  | 'broker'
  | 'object store'
  | 'feeds'
  | 'certificates'
  | 'disk'
  | 'clock';

/** What was looked at, and what was found. */
export interface Checkup {
  readonly area: Area;
  readonly what: string;
  /** `warning`: it works now, and may not tomorrow. `problem`: something does not work. */
  readonly state: 'ok' | 'warning' | 'problem';
  readonly found?: string;
  /** What to do; with every warning and problem. */
  readonly advice?: string;
}

export const fine = (area: Area, what: string, found?: string): Checkup => ({
  ...{ area, what, state: 'ok' },
  ...(found !== undefined && { found }),
});

export const finding = (
  state: 'warning' | 'problem',
  area: Area,
  what: string,
  found: string,
  advice: string,
): Checkup => ({ area, what, state, found, advice });

/** A trial as a checkup. An error with a code has the advice of the page on troubleshooting. */
export const tried = (area: Area, { what, found, problem, error }: Trial, otherwise: string): Checkup =>
  problem === undefined
    ? fine(area, what, found)
    : finding('problem', area, what, problem, adviceFor(error) ?? otherwise);

const adviceFor = (error: unknown): string | undefined =>
  error instanceof StreamError ? `${error.code}: ${withoutLinks(ADVICE[error.code].act)}` : undefined;

/** The pages are named by their files in the package: a terminal follows no links. */
const withoutLinks = (markdown: string): string =>
  markdown
    .replaceAll(/\[([^\]]+)\]\((?:\.\.\/)?([\w/-]+\.md)[^)]*\)/g, (_, text, file) =>
      file.includes('/') ? `${text} (docs/${file})` : `${text} (docs/how-to/${file})`,
    )
    .replaceAll('`', '');

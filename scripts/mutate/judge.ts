/** The part of Stryker's report that is judged (mutation-testing-report-schema). */
export interface Report {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly Mutant[] }>>;
}

interface Mutant {
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly status: string;
  readonly location: { readonly start: Place; readonly end: Place };
}

interface Place {
  readonly line: number;
  readonly column: number;
}

/** Why a mutant may live, by file and by the mutant’s text: `line ▸ before → after`. */
export type Explanations = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** The mutants of one file. */
export interface Counts {
  readonly file: string;
  readonly killed: number;
  /** Survivors that are explained. */
  readonly explained: number;
  readonly survived: number;
}

export interface Verdict {
  readonly files: readonly Counts[];
  /** Per cent of all mutants that were killed, the explained among them. */
  readonly score: number;
  /** Why the run fails. Empty: it passes. */
  readonly faults: readonly string[];
}

/** Per cent of all mutants that must be killed. A single file may have many that are explained. */
const LEAST = 95;

const KILLED = ['Killed', 'Timeout'];
const SURVIVED = ['Survived', 'NoCoverage'];

/** Judges a report: each survivor needs an explanation, and each explanation a survivor. */
export const judge = ({ files }: Report, explanations: Explanations, least = LEAST): Verdict => {
  const judged = Object.entries(files).map(([file, { source, mutants }]) => {
    const explained = explanations[file] ?? {};
    const survivors = mutants
      .filter(({ status }) => SURVIVED.includes(status))
      .map((mutant) => ({ line: mutant.location.start.line, text: textOf(source, mutant) }));
    const open = survivors.filter(({ text }) => explained[text] === undefined);
    const killed = mutants.filter(({ status }) => KILLED.includes(status)).length;
    return {
      counts: { file, killed, explained: survivors.length - open.length, survived: open.length },
      faults: [
        ...open.map(({ line, text }) => `${file}:${line}: survived: ${text}`),
        ...Object.keys(explained)
          .filter((text) => !survivors.some((one) => one.text === text))
          .map((text) => `${file}: explained, but no survivor: ${text}`),
      ],
    };
  });
  const counts = judged.map((one) => one.counts);
  const sum = (of: (one: Counts) => number) => counts.reduce((total, one) => total + of(one), 0);
  const [killed, all] = [sum((one) => one.killed), sum((one) => one.killed + one.explained + one.survived)];
  const score = all === 0 ? 0 : (100 * killed) / all;
  const low = score < least ? [`${score.toFixed(1)} % of ${all} mutants were killed; at least ${least} % must be`] : [];
  return { files: counts, score, faults: [...judged.flatMap(({ faults }) => faults), ...low] };
};

/** A mutant on one line, after the line of code that it begins in: a file may have `true` twice. */
const textOf = (source: string, { location: { start, end }, replacement = '' }: Mutant): string => {
  const lines = source.split('\n').slice(start.line - 1, end.line);
  const last = lines.length - 1;
  const before = lines
    .map((line, at) => line.slice(at === 0 ? start.column - 1 : 0, at === last ? end.column - 1 : undefined))
    .join('\n');
  return `${oneLine(lines[0] ?? '')} ▸ ${oneLine(before)} → ${oneLine(replacement)}`;
};

const oneLine = (code: string): string => code.replace(/\s+/g, ' ').trim();

/** The counts as a table of the page, one row a folder. */
export const tableOf = ({ files }: Verdict): string => {
  const rooms = [...new Set(files.map(({ file }) => file.replace(/\/[^/]*$/, '')))].toSorted();
  const rows = rooms.map((room) => {
    const own = files.filter(({ file }) => file.replace(/\/[^/]*$/, '') === room);
    const sum = (of: (one: Counts) => number) => own.reduce((total, one) => total + of(one), 0);
    const [killed, explained, survived] = [
      sum((one) => one.killed),
      sum((one) => one.explained),
      sum((one) => one.survived),
    ];
    const all = killed + explained + survived;
    return `| \`${room}/\` | ${own.length} | ${all} | ${((100 * killed) / all).toFixed(1)} % | ${explained} | ${survived} |`;
  });
  return ['| folder | files | mutants | killed | explained | open |', '|---|---|---|---|---|---|', ...rows].join('\n');
};

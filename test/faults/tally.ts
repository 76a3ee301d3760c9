import { type Fault, nameOf, type Place, WHERE } from './fault.ts';
import type { Ledger } from './feed.ts';

export interface Broken {
  readonly what: string;
  readonly path?: string;
  readonly [detail: string]: unknown;
}

/** All counts of a run. */
export interface Tally {
  readonly counts: Map<string, number>;
  /** Faults by their name and place. */
  readonly faults: Map<string, Map<string, number>>;
  /** Broken promises. */
  readonly broken: Broken[];
  add(what: string, count?: number): void;
  fault(name: string, where?: Place['where'] | 'any', count?: number): void;
}

export const createTally = (): Tally => {
  const counts = new Map<string, number>();
  const faults = new Map<string, Map<string, number>>();
  return {
    counts,
    faults,
    broken: [],
    add: (what, count = 1) => counts.set(what, (counts.get(what) ?? 0) + count),
    fault: (name, where = 'any', count = 1) => {
      const row = faults.get(name) ?? new Map<string, number>();
      faults.set(name, row.set(where, (row.get(where) ?? 0) + count));
    },
  };
};

/** Counts the faults of feeds, and the wrong contents of each path. */
export const createLedger = (
  tally: Tally,
  isLie: (path: string, fault: Fault) => boolean,
): Ledger & { lied(path: string): void; liesAbout(path: string): number } => {
  const lies = new Map<string, number>();
  const lied = (path: string) => {
    lies.set(path, (lies.get(path) ?? 0) + 1);
  };
  return {
    lied,
    note: (feedPath, fault, where) => {
      tally.fault(nameOf(fault), where);
      // Each source has the path in a separate folder.
      const path = feedPath.replace(/^\/\d+/, '');
      if (isLie(path, fault)) lied(path);
    },
    liesAbout: (path) => lies.get(path) ?? 0,
  };
};

const table = (rows: readonly (readonly (string | number)[])[]): string => {
  const [head = [], ...rest] = rows;
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rest.map(line)].join('\n');
};

/** The result of a run, as Markdown. */
export const written = (seed: number, { counts, faults }: Tally): string => {
  const of = (what: string) => counts.get(what) ?? 0;
  const total = [...faults.values()].reduce((sum, row) => sum + [...row.values()].reduce((a, b) => a + b, 0), 0);
  const outcome = [
    ['what', `seed ${seed}`],
    ['transfers', of('transfers')],
    ['… directly at the daemon', of('daemon')],
    ['… through Squid', of('squid')],
    ['… of a part only', of('parts')],
    ['faults injected', total],
    ['clean endings', of('clean')],
    ['… of them from Squid’s memory', of('hits')],
    ['… of them from a transfer that another client had begun', of('shared')],
    ['resumed mid-body', of('resumed')],
    ['failed over to another source', of('failed over')],
    ['served from a saved copy', of('saved')],
    ['cut: wrong content that only the checksum reveals; right on the next request', of('cut')],
    ['cut during a part, which no other source may continue', of('parts cut')],
    ['cut, with no good source', of('cut, not good')],
    ['honestly refused, with no good source', of('refused')],
    ['clients that left', of('left')],
    ['mebibytes of memory that the daemon keeps, in addition to those before', of('held')],
    ['**clean endings with a wrong digest**', `**${of('wrong')}**`],
    ['**not completed although one source was good**', `**${of('not completed')}**`],
    ['**hangs**', `**${of('hangs')}**`],
    ['**sockets and files left open**', `**${of('descriptors')}**`],
    ['**partial copies left**', `**${of('partials')}**`],
    ['**mebibytes of memory leaked**', `**${of('leaked')}**`],
  ];
  const places = [...WHERE, 'any'] as const;
  const kinds = [...faults].sort(([a], [b]) => (a < b ? -1 : 1));
  const injected = [
    ['fault', ...places.map((where) => (where === 'any' ? 'as a whole' : where))],
    ...kinds.map(([name, row]) => [name, ...places.map((where) => row.get(where) ?? '')]),
  ];
  return `${table(outcome)}\n\n${table(injected)}`;
};

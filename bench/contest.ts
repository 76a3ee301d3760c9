/** One of the programs that do the same work. */
export interface Contender {
  readonly name: string;
  /** Does the work once; resolves to its cost, in the unit of the contest. */
  run(): Promise<number>;
  /** More figures, once all rounds are over. */
  also?(): string;
}

export interface Contest {
  readonly title: string;
  readonly unit: string;
  readonly rounds: number;
  /** The others are compared with the first. */
  readonly contenders: readonly [Contender, ...Contender[]];
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** The value that `of100` of 100 values do not exceed. */
export const percentile = (values: readonly number[], of100: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length * of100) / 100)] ?? Number.NaN;

/**
 * Runs all contenders in turn, round by round, so that other load on the machine affects them alike.
 * Prints the median of each and its ratio to the first. Only the ratio is meaningful: single figures
 * depend on the machine.
 */
export const hold = async ({ title, unit, rounds, contenders }: Contest): Promise<void> => {
  const costs = new Map<Contender, number[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round < rounds; round += 1)
    for (const contender of contenders) costs.get(contender)?.push(await contender.run());

  const [first] = contenders;
  const costOf = (contender: Contender) => median(costs.get(contender) ?? []);
  const lines = contenders.map((contender) => {
    const cost = costOf(contender);
    const ratio = (cost / costOf(first)).toFixed(2).padStart(5);
    const more = contender.also ? `; ${contender.also()}` : '';
    return `${format(cost).padStart(12)}  ${ratio}  ${contender.name}${more}`;
  });
  const heading = `${title} (${rounds === 1 ? 'once' : `${rounds} rounds`})`;
  process.stdout.write(`\n${[heading, `${unit.padStart(12)}  ratio`, ...lines].join('\n')}\n`);
};

/** Three significant digits. */
const format = (value: number): string => value.toFixed(Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1))));

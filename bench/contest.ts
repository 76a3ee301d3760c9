/** One of those who do the same work. */
export interface Contender {
  readonly name: string;
  /** Does it once; resolves to what it cost, in the contest's unit. */
  run(): Promise<number>;
  /** What else is worth telling, once all rounds are over. */
  also?(): string;
}

export interface Contest {
  readonly title: string;
  readonly unit: string;
  readonly rounds: number;
  /** The first is what the others are compared to. */
  readonly contenders: readonly [Contender, ...Contender[]];
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** The value that so many of 100 do not exceed. */
export const percentile = (values: readonly number[], of100: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length * of100) / 100)] ?? Number.NaN;

/**
 * Lets all contenders run in turn, round by round, so that whatever else the machine does meanwhile troubles them alike, and tells
 * the median of each and its ratio to the first. The ratio is what counts: single figures depend on the machine.
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
    return `${say(cost).padStart(12)}  ${ratio}  ${contender.name}${more}`;
  });
  const heading = `${title} (${rounds === 1 ? 'once' : `${rounds} rounds`})`;
  process.stdout.write(`\n${[heading, `${unit.padStart(12)}  ratio`, ...lines].join('\n')}\n`);
};

/** Three digits that mean something. */
const say = (value: number): string => value.toFixed(Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1))));

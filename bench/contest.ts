/** A program that does the work. */
export interface Contender {
  /** Names it in ratios. For the product this is the name of the row, such as `feed`. */
  readonly id: string;
  readonly name: string;
  /** Whether it is the product, whose ratios to all others are reported. */
  readonly ours?: boolean;
  /** Does the work once. Resolves to its cost, in the contest's unit. Rejects if a result is wrong. */
  run(): Promise<number>;
  /** A remark for the table, after all rounds. */
  also?(): string | undefined;
}

export interface Contest {
  readonly title: string;
  readonly unit: string;
  readonly rounds: number;
  /** Whether a round that is not measured comes first. Default: yes. */
  readonly rehearse?: boolean;
  /** The table compares the others with the first. */
  readonly contenders: readonly Contender[];
}

/** The costs of one contender. */
export interface Measured {
  readonly id: string;
  readonly name: string;
  readonly ours: boolean;
  /** One of each round. */
  readonly costs: readonly number[];
  readonly also: string | undefined;
}

export interface Result {
  readonly title: string;
  readonly unit: string;
  readonly measured: readonly Measured[];
}

/** A ratio of the product to another contender: median, least and greatest of the rounds’ ratios. */
export interface Ratio {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const [low = Number.NaN, high = Number.NaN] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return (low + high) / 2;
};

/** The value that N of 100 do not exceed. */
export const percentile = (values: readonly number[], of100: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length * of100) / 100)] ?? Number.NaN;

/**
 * Runs all contenders in turn, round by round, so that other load on the machine affects them
 * alike.
 */
export const hold = async ({ title, unit, rounds, rehearse = true, contenders }: Contest): Promise<Result> => {
  const costs = contenders.map((): number[] => []);
  for (let round = rehearse ? -1 : 0; round < rounds; round += 1)
    for (const [index, contender] of contenders.entries()) {
      const cost = await contender.run();
      if (round >= 0) costs[index]?.push(cost);
    }
  return {
    title,
    unit,
    measured: contenders.map(({ id, name, ours = false, also }, index) => ({
      id,
      name,
      ours,
      costs: costs[index] ?? [],
      also: also?.(),
    })),
  };
};

/**
 * The ratio of one contender to another. Each round gives one ratio, of two runs that followed each
 * other, so slow changes of the machine’s load cancel out.
 */
export const ratioOf = (one: Measured, other: Measured): Ratio => {
  const ratios = one.costs.map((cost, round) => cost / (other.costs[round] ?? Number.NaN));
  return { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) };
};

/** The product’s ratios to every other contender, by name: `feed/nginx`. */
export const ratiosOf = (results: readonly Result[]): Readonly<Record<string, Ratio>> =>
  Object.fromEntries(
    results.flatMap(({ measured }) =>
      measured
        .filter(({ ours }) => ours)
        .flatMap((one) =>
          measured.filter(({ ours }) => !ours).map((other) => [`${one.id}/${other.id}`, ratioOf(one, other)]),
        ),
    ),
  );

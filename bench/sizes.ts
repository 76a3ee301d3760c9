/** How much is measured. Each value is bounded by an environment variable of the same name. */
export interface Sizes {
  /** Measured rounds of each comparison; one unmeasured round comes first. */
  readonly rounds: number;
  /** Small requests that each contender answers before anything is measured. */
  readonly warmUp: number;
  /** Bytes of the large body. */
  readonly bytes: number;
  /** Small requests of one round. */
  readonly requests: number;
  /** Daemons with the same settings that take turns, where little is compared with little. */
  readonly daemons: number;
  /** Requests of the single client whose latency is measured, in one round. */
  readonly latencies: number;
  /** Requests on pipelined connections, in one round. */
  readonly pipelined: number;
  /** Clients that read nothing. */
  readonly slow: number;
  /** The same, for a larger number: 10,000 take some gigabytes of the kernel’s memory. */
  readonly slowMany: number;
  /** Processes with which the streamer answers those. */
  readonly slowWorkers: number;
  /** Small files that one more client requests while those read nothing. */
  readonly newcomers: number;
  /** Clients that read at the same time. */
  readonly clients: number;
  /** Bytes that each of them requests. */
  readonly clientBytes: number;
  /** Entries of the large catalog. The small one has a thousandth of them, or 1,000. */
  readonly entries: number;
  /** Starts of each command in one round. */
  readonly starts: number;
  /** Packages of the repository that is fetched through Squid. */
  readonly repository: number;
  /** Clients of one proxy. */
  readonly fleet: number;
  /** Packages that each of them gets. */
  readonly fleetPackages: number;
  /** Transfers through each daemon, with a different broker each. */
  readonly transfers: number;
  /** Sources that fail. */
  readonly sick: number;
  /** Packages of the repository whose metadata is imported. */
  readonly packages: number;
  /** Values that are streamed at once. A slow consumer takes a tenth of them. */
  readonly values: number;
}

const MIB = 1024 ** 2;

const FULL: Sizes = {
  rounds: 5,
  warmUp: 20_000,
  bytes: 256 * MIB,
  requests: 3_000,
  daemons: 6,
  latencies: 2_000,
  pipelined: 20_000,
  slow: 500,
  slowMany: 2_000,
  slowWorkers: 1,
  newcomers: 300,
  clients: 1_000,
  clientBytes: MIB,
  entries: 1_000_000,
  starts: 5,
  repository: 1_000,
  fleet: 50,
  fleetPackages: 100,
  transfers: 5_000,
  sick: 3_000,
  packages: 100_000,
  values: 1_000_000,
};

const QUICK: Sizes = {
  rounds: 3,
  warmUp: 1_500,
  bytes: 32 * MIB,
  requests: 500,
  daemons: 2,
  latencies: 250,
  pipelined: 1_000,
  slow: 100,
  slowMany: 200,
  slowWorkers: 1,
  newcomers: 100,
  clients: 100,
  clientBytes: MIB,
  entries: 100_000,
  starts: 1,
  repository: 60,
  fleet: 10,
  fleetPackages: 20,
  transfers: 500,
  sick: 3_000,
  packages: 5_000,
  values: 50_000,
};

/** `BENCH_WARM_UP` for `warmUp`. */
const variableOf = (name: string): string => `BENCH_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;

/** The sizes of a run. Throws if a variable is not a positive whole number. */
export const sizesOf = (quick: boolean, environment: NodeJS.ProcessEnv): Sizes =>
  Object.fromEntries(
    Object.entries(quick ? QUICK : FULL).map(([name, size]) => {
      const given = environment[variableOf(name)];
      if (given !== undefined && !/^[1-9]\d*$/.test(given))
        throw new Error(`${variableOf(name)}: expected a positive whole number, got ${JSON.stringify(given)}`);
      return [name, given === undefined ? size : Number(given)];
    }),
  ) as unknown as Sizes;

import { setTimeout } from 'node:timers/promises';
import { type Bench, expecting, type Scenario, SMALL } from '../bench.ts';
import { type Contender, hold, percentile, type Result } from '../contest.ts';
import { downloadAll, requestAndWait, requestOnly, type SlowClients } from '../load.ts';
import { descriptors, residentOfAll } from '../machine.ts';
import type { Asked, Relay, RelayOptions } from '../relay.ts';
import { type Relays, startRelays } from '../relays.ts';

/** Bytes of the files that clients do not read: more than all buffers on the way together. */
const BYTES = 64 * 1024 ** 2;

/** Requests that compile the code of a relay, one after the other: what that takes is no client's. */
const WARM_UP = 1_000;

/** Files that a relay has open besides those of its clients. */
const OTHER_FILES = 200;

/** Another client than those, for a proxy that is fair to addresses. */
const NEWCOMER = '127.0.0.2';

/** Memory for clients that read nothing after the head, and how long one more client then waits. */
export const slow: Scenario = async (bench) => [
  await memory(bench, bench.sizes.slow, ''),
  await memory(bench, bench.sizes.slowMany, '-many', bench.sizes.slowWorkers),
  await newcomer(bench, bench.sizes.slowMany, bench.sizes.slowWorkers),
];

type Own = Pick<Contender, 'id' | 'ours'>;

const filesOf = (count: number, fileOf: () => Asked): readonly Asked[] => Array.from({ length: count }, fileOf);

/** Runs work with new relays: memory once used would hide growth. Each is warm, from one request at a time. */
const withRelays = async (
  bench: Bench,
  options: Pick<RelayOptions, 'clients' | 'unlimited' | 'workers'> & { readonly clients: number },
  work: (relays: Relays) => Promise<Result>,
): Promise<Result> => {
  const { sizes, cores, main, origin } = bench;
  const warmUp = Math.min(sizes.warmUp, WARM_UP);
  const relays = await startRelays({
    ...{ folder: bench.folder('slow'), origin, core: cores?.contender, main, ...options },
    // Peers are one process each, with two connections for each client.
    alone: 2 * options.clients + OTHER_FILES > descriptors(),
    supplies: [
      { route: 'http', size: BYTES, count: options.clients },
      { route: 'http', size: SMALL, count: warmUp + sizes.newcomers },
      { route: 'verified', size: BYTES, count: 1 },
    ],
    disk: new Map(),
  });
  try {
    for (const relay of [...relays.peers, relays.streamer])
      await expecting(bench, warmUp, () =>
        downloadAll(
          filesOf(warmUp, () => relay.fresh('http', SMALL)),
          1,
        ),
      );
    return await work(relays);
  } finally {
    await relays.stop();
  }
};

/** `suffix` ends the names of the rows. */
const memory = (bench: Bench, clients: number, suffix: string, workers = 1): Promise<Result> =>
  withRelays(bench, { clients, unlimited: true, workers }, async ({ peers, streamer }) => {
    const growth = async ({ pid }: Relay, request: () => Promise<SlowClients>): Promise<number> => {
      const before = residentOfAll(pid);
      const { leave } = await request();
      await settled(bench);
      const grown = residentOfAll(pid) - before;
      leave();
      return grown / clients / 1024;
    };
    const aFileEach = (relay: Relay, own: Own): Contender => ({
      ...own,
      name: `${relay.name}, a file each`,
      run: () =>
        growth(relay, () =>
          expecting(bench, clients, () => requestAndWait(filesOf(clients, () => relay.fresh('http', BYTES)))),
        ),
    });
    const shared = streamer.fresh('verified', BYTES);
    /** Of one path by one process: more do not help. */
    const sameFile: Contender = {
      id: `slow-same${suffix}`,
      ours: true,
      name: `${streamer.name}, all the same file`,
      run: () => growth(streamer, () => requestAndWait(filesOf(clients, () => shared))),
    };
    return hold({
      title: `Memory for each of ${clients} clients that read nothing of ${BYTES >> 20} MiB`,
      unit: 'KiB',
      rounds: 1,
      rehearse: false,
      contenders: [
        ...peers.map((peer) => aFileEach(peer, { id: peer.id })),
        aFileEach(streamer, { id: `slow${suffix}`, ours: true }),
        ...(workers === 1 ? [sameFile] : []),
      ],
    });
  });

/** With the limits as shipped: some of the slow clients may wait, or be refused, and the newcomer must not. */
const newcomer = (bench: Bench, clients: number, workers: number): Promise<Result> =>
  withRelays(bench, { clients, workers }, async ({ peers, streamer }) => {
    const waiting = (relay: Relay, own: Own): Contender => ({
      ...own,
      name: relay.name,
      run: async () => {
        const { leave } = await requestOnly(filesOf(clients, () => relay.fresh('http', BYTES)));
        await settled(bench);
        // Requests of those clients may reach the origin in the meantime, so only bodies are checked.
        const files = filesOf(bench.sizes.newcomers, () => relay.fresh('http', SMALL));
        const took = await downloadAll(files, 1, NEWCOMER);
        leave();
        return percentile(took, 99);
      },
    });
    return hold({
      title: `A small file for one more client, while ${clients} read nothing: 99 of 100 within`,
      unit: 'ms',
      rounds: 1,
      rehearse: false,
      contenders: [
        ...peers.map((peer) => waiting(peer, { id: peer.id })),
        waiting(streamer, { id: 'newcomer', ours: true }),
      ],
    });
  });

/** Milliseconds after which the streamer holds no memory that it does not need, and some more. */
const QUIET = 3_000;

/** Resolves when the origin has sent nothing for a while: all buffers on the way are full. */
const settled = async ({ origin }: Bench): Promise<void> => {
  let sent = -1;
  for (let since = performance.now(); performance.now() - since < QUIET; ) {
    const now = (await origin.counts()).sent;
    if (now !== sent) since = performance.now();
    sent = now;
    await setTimeout(500);
  }
};

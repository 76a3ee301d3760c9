import { setTimeout } from 'node:timers/promises';
import { type Bench, expecting, type Scenario, SMALL } from '../bench.ts';
import { type Contender, hold, percentile, type Result } from '../contest.ts';
import { download, downloadAll, requestAndWait, type SlowClients } from '../load.ts';
import { residentOf } from '../machine.ts';
import type { Asked, Relay } from '../relay.ts';
import { startRelays } from '../relays.ts';

/** Bytes of the files that clients do not read: more than all buffers on the way together. */
const BYTES = 64 * 1024 ** 2;

/** Memory for clients that read nothing after the head, and how long one more client then waits. */
export const slow: Scenario = async (bench) => [
  ...(await withSlow(bench, bench.sizes.slow, '')),
  ...(await withSlow(bench, bench.sizes.slowMany, '-many')),
];

type Own = Pick<Contender, 'id' | 'ours'>;

/** The relays are new: memory once used would hide growth. `suffix` ends the names of the rows. */
const withSlow = async (bench: Bench, clients: number, suffix: string): Promise<readonly Result[]> => {
  const { sizes, cores, main, origin } = bench;
  const relays = await startRelays({
    ...{ folder: bench.folder(`slow${suffix}`), origin, core: cores?.contender, main, clients },
    supplies: [
      { route: 'http', size: BYTES, count: clients },
      { route: 'http', size: SMALL, count: 1 + sizes.newcomers },
      { route: 'verified', size: BYTES, count: 1 },
    ],
    disk: new Map(),
  });
  const { peers, streamer } = relays;
  const filesOf = (count: number, fileOf: () => Asked): readonly Asked[] => Array.from({ length: count }, fileOf);
  /** What a client adds to the memory of a relay. */
  const growth = async (
    { pid }: Relay,
    request: () => Promise<SlowClients>,
    meanwhile?: () => Promise<void>,
  ): Promise<number> => {
    const before = residentOf(pid);
    const { leave } = await request();
    await settled(bench);
    const grown = residentOf(pid) - before;
    await meanwhile?.();
    leave();
    return grown / clients / 1024;
  };
  const waits = new Map<Relay, number>();
  const aFileEach = (relay: Relay, own: Own): Contender => ({
    ...own,
    name: `${relay.name}, a file each`,
    run: () =>
      growth(
        relay,
        () => expecting(bench, clients, () => requestAndWait(filesOf(clients, () => relay.fresh('http', BYTES)))),
        async () => {
          const files = filesOf(sizes.newcomers, () => relay.fresh('http', SMALL));
          waits.set(relay, percentile(await expecting(bench, files.length, () => downloadAll(files, 1)), 99));
        },
      ),
  });
  // Measured in the run before, while the other clients waited.
  const waiting = (relay: Relay, own: Own): Contender => ({
    ...own,
    name: relay.name,
    run: async () => waits.get(relay) ?? Number.NaN,
  });
  const once = { rounds: 1, rehearse: false };
  try {
    for (const relay of [...peers, streamer]) await expecting(bench, 1, () => download(relay.fresh('http', SMALL)));
    const shared = streamer.fresh('verified', BYTES);
    return [
      await hold({
        ...once,
        title: `Memory for each of ${clients} clients that read nothing of ${BYTES >> 20} MiB`,
        unit: 'KiB',
        contenders: [
          ...peers.map((peer) => aFileEach(peer, { id: peer.id })),
          aFileEach(streamer, { id: `slow${suffix}`, ours: true }),
          {
            id: `slow-same${suffix}`,
            ours: true,
            name: `${streamer.name}, all the same file`,
            run: () => growth(streamer, () => requestAndWait(filesOf(clients, () => shared))),
          },
        ],
      }),
      await hold({
        ...once,
        title: '… 99 of 100 small files for one more client within',
        unit: 'ms',
        contenders: [
          ...peers.map((peer) => waiting(peer, { id: peer.id })),
          waiting(streamer, { id: `newcomer${suffix}`, ours: true }),
        ],
      }),
    ];
  } finally {
    await relays.stop();
  }
};

/** Resolves when the origin can send no more: all buffers on the way are full. */
const settled = async ({ origin }: Bench): Promise<void> => {
  const sent = async () => (await origin.counts()).sent;
  for (let before = -1, now = await sent(); before !== now; ) {
    await setTimeout(500);
    [before, now] = [now, await sent()];
  }
};

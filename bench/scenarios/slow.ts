import { setTimeout } from 'node:timers/promises';
import { type Bench, expecting, type Scenario, SMALL } from '../bench.ts';
import { type Contender, hold } from '../contest.ts';
import { download, requestAndWait } from '../load.ts';
import { residentOf } from '../machine.ts';
import { type Asked, type Relay, startRelays } from '../relays.ts';

/** Bytes of the files that clients do not read: more than all buffers on the way together. */
const BYTES = 64 * 1024 ** 2;

/** Memory for clients that read nothing after the head. The relays are new: memory once used would hide growth. */
export const slow: Scenario = async (bench) => {
  const { sizes, cores, main, origin } = bench;
  const relays = await startRelays({
    ...{ folder: bench.folder('slow'), origin, core: cores?.contender, main },
    supplies: [
      { route: 'http', size: BYTES, count: sizes.slow },
      { route: 'http', size: SMALL, count: 1 },
      { route: 'verified', size: BYTES, count: 1 },
    ],
    disk: new Map(),
  });
  const contender = (
    relay: Relay,
    how: string,
    fileOf: () => Asked,
    own: Pick<Contender, 'id' | 'ours'>,
  ): Contender => ({
    ...own,
    name: `${relay.name}, ${how}`,
    run: async () => {
      const before = residentOf(relay.pid);
      const { leave } = await requestAndWait(Array.from({ length: sizes.slow }, fileOf));
      await settled(bench);
      const grown = residentOf(relay.pid) - before;
      leave();
      return grown / sizes.slow / 1024;
    },
  });
  const each = (relay: Relay, own: Pick<Contender, 'id' | 'ours'>): Contender =>
    contender(relay, 'a file each', () => relay.fresh('http', BYTES), own);
  try {
    for (const relay of [...relays.peers, relays.streamer])
      await expecting(bench, 1, () => download(relay.fresh('http', SMALL)));
    const shared = relays.streamer.fresh('verified', BYTES);
    return [
      await hold({
        title: `Memory for each of ${sizes.slow} clients that read nothing of ${BYTES >> 20} MiB`,
        unit: 'KiB',
        rounds: 1,
        rehearse: false,
        contenders: [
          ...relays.peers.map((peer) => each(peer, { id: peer.id })),
          each(relays.streamer, { id: 'slow', ours: true }),
          contender(relays.streamer, 'all the same file', () => shared, { id: 'slow-same', ours: true }),
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

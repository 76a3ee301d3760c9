import { type Bench, expecting, type Scenario } from '../bench.ts';
import { type Contender, hold, median } from '../contest.ts';
import { download, downloadAll } from '../load.ts';
import { cpuOf } from '../machine.ts';
import type { Asked, Relay, Route } from '../relay.ts';

const GIB = 1024 ** 3;

interface Ours {
  readonly relay: Relay;
  /** The row, and a remark on the name. */
  readonly id: string;
  readonly how: string;
}

/** CPU seconds that a relay uses for a GiB, one client at a time. */
const relaying = (bench: Bench, relay: Relay, route: Route, ours?: Ours): Contender => ({
  id: ours?.id ?? relay.id,
  name: ours ? `${relay.name}, ${ours.how}` : relay.name,
  ours: ours !== undefined,
  run: async () => {
    const { bytes } = bench.sizes;
    const before = cpuOf(relay.pid);
    await expecting(bench, route === 'file' ? 0 : 1, () => download(relay.fresh(route, bytes)));
    return (cpuOf(relay.pid) - before) / (bytes / GIB);
  },
});

/** A file that the relay keeps a copy of already. */
const hitting = (bench: Bench, relay: Relay, ours?: Ours): Contender => {
  let file: Asked | undefined;
  return {
    id: ours?.id ?? relay.id,
    name: ours ? `${relay.name}, ${ours.how}` : `${relay.name}, not checked`,
    ours: ours !== undefined,
    run: async () => {
      file ??= await keptFile(bench, relay);
      const asked = file;
      const before = cpuOf(relay.pid);
      await expecting(bench, 0, () => download(asked));
      return (cpuOf(relay.pid) - before) / (bench.sizes.bytes / GIB);
    },
  };
};

/** A file that is requested until the origin is not asked for it: nginx stores a copy after its last byte is sent. */
const keptFile = async ({ origin, sizes }: Bench, relay: Relay): Promise<Asked> => {
  const file = relay.fresh('kept', sizes.bytes);
  const requests = async () => (await origin.counts()).requests;
  for (let before = -1, now = await requests(); before !== now; ) {
    await download(file);
    [before, now] = [now, await requests()];
  }
  return file;
};

/** A large body: from a feed, over TLS, from disk, from a saved copy. */
export const large: Scenario = async (bench) => {
  const { peers, streamer, keeping } = await bench.relays();
  const mib = `${bench.sizes.bytes >> 20} MiB`;
  const contest = (title: string, route: Route, ours: readonly Contender[]) =>
    hold({
      title: `${mib} from ${title}`,
      unit: 'CPU s/GiB',
      rounds: bench.sizes.rounds,
      contenders: [
        ...peers.filter(({ routes }) => routes.includes(route)).map((peer) => relaying(bench, peer, route)),
        ...ours,
      ],
    });
  const one = (route: Route, id: string, how: string) => relaying(bench, streamer, route, { relay: streamer, id, how });
  return [
    await contest('a feed', 'http', [
      one('http', 'feed', 'no checksum'),
      one('verified', 'sha256', 'SHA-256 verified'),
    ]),
    await contest('an HTTPS feed with a client certificate', 'https', [one('https', 'https', 'no checksum')]),
    await contest('a file on disk', 'file', [one('file', 'disk', 'no checksum')]),
    await hold({
      title: `${mib} from a kept copy`,
      unit: 'CPU s/GiB',
      rounds: bench.sizes.rounds,
      contenders: [
        ...peers.filter(({ routes }) => routes.includes('kept')).map((peer) => hitting(bench, peer)),
        hitting(bench, keeping, { relay: keeping, id: 'hit', how: 'checked' }),
      ],
    }),
  ];
};

/** Many clients at the same time, each with its own file, against one client. */
export const clients: Scenario = async (bench) => {
  const { sizes } = bench;
  const { peers, streamer } = await bench.relays();
  const contender = (relay: Relay, count: number, size: number, own: Pick<Contender, 'id' | 'ours'>): Contender => {
    const speeds: number[] = [];
    return {
      ...own,
      name: `${relay.name}, ${count === 1 ? 'one client' : `${count} clients`}`,
      run: async () => {
        const files = Array.from({ length: count }, () => relay.fresh('http', size));
        const gib = (count * size) / GIB;
        const [cpu, began] = [cpuOf(relay.pid), performance.now()];
        await expecting(bench, count, () => downloadAll(files, count));
        speeds.push(gib / ((performance.now() - began) / 1000));
        return (cpuOf(relay.pid) - cpu) / gib;
      },
      also: () => `${median(speeds).toFixed(2)} GiB/s`,
    };
  };
  return [
    await hold({
      title: 'Many clients at the same time, each with its own file from a feed',
      unit: 'CPU s/GiB',
      rounds: sizes.rounds,
      contenders: [
        contender(streamer, 1, sizes.bytes, { id: 'one' }),
        ...peers
          .filter(({ id }) => id === 'nginx' || id === 'node' || id === 'fastify')
          .map((peer) => contender(peer, sizes.clients, sizes.clientBytes, { id: peer.id })),
        contender(streamer, sizes.clients, sizes.clientBytes, { id: 'clients', ours: true }),
      ],
    }),
  ];
};

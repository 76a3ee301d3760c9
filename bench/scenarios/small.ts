import { type Bench, CLIENTS, expecting, type Scenario, SMALL, TINY } from '../bench.ts';
import { type Contender, hold, percentile } from '../contest.ts';
import { downloadAll, downloadPipelined } from '../load.ts';
import { cpuOf, residentOf } from '../machine.ts';
import type { Relay, Route } from '../relay.ts';

/** Downloads fresh small files. Resolves to the milliseconds of each. */
const downloadFresh = (bench: Bench, relay: Relay, route: Route, count: number, clients: number): Promise<number[]> => {
  const files = Array.from({ length: count }, () => relay.fresh(route, SMALL));
  return expecting(bench, route === 'file' ? 0 : count, () => downloadAll(files, clients));
};

/** A contender for each peer, and the product last. */
const withPeers = (
  peers: readonly Relay[],
  ours: Relay,
  id: string,
  how: string,
  run: (relay: Relay, isOurs: boolean) => Promise<number>,
): readonly Contender[] => [
  ...peers.map((peer) => ({ id: peer.id, name: peer.name, run: () => run(peer, false) })),
  { id, name: `${ours.name}, ${how}`, ours: true, run: () => run(ours, true) },
];

/** CPU time of small files: from a feed, with copies kept, from disk. */
export const small: Scenario = async (bench) => {
  const { sizes } = bench;
  const { peers, streamer, keeping } = await bench.relays();
  const contest = (title: string, ours: Relay, id: string, how: string, route: Route, theirs: Route = route) =>
    hold({
      title: `4 KiB from ${title}, ${CLIENTS} clients, each path once`,
      unit: 'CPU µs',
      rounds: sizes.rounds,
      contenders: withPeers(
        peers.filter(({ routes }) => routes.includes(theirs)),
        ours,
        id,
        how,
        async (relay, isOurs) => {
          const before = cpuOf(relay.pid);
          await downloadFresh(bench, relay, isOurs ? route : theirs, sizes.requests, CLIENTS);
          return (1e6 * (cpuOf(relay.pid) - before)) / sizes.requests;
        },
      ),
    });
  return [
    await contest('a feed', streamer, 'small', 'SHA-256 verified and logged', 'verified', 'http'),
    await contest('a feed, a copy kept of each', keeping, 'saving', 'SHA-256 verified, logged and saved', 'kept'),
    await contest('files on disk', streamer, 'small-disk', 'logged', 'file'),
  ];
};

/** CPU time of requests that are sent one after the other, without waiting for responses. */
export const pipelined: Scenario = async (bench) => {
  const { peers, streamer } = await bench.relays();
  const { rounds, pipelined: count } = bench.sizes;
  return [
    await hold({
      title: `${TINY} bytes from a feed, ${count} pipelined requests on one connection after the other`,
      unit: 'CPU µs',
      rounds,
      contenders: withPeers(peers, streamer, 'pipelined', 'SHA-256 verified and logged', async (relay, isOurs) => {
        const files = Array.from({ length: count }, () => relay.fresh(isOurs ? 'verified' : 'http', TINY));
        const before = cpuOf(relay.pid);
        await expecting(bench, count, () => downloadPipelined(files));
        return (1e6 * (cpuOf(relay.pid) - before)) / count;
      }),
    }),
  ];
};

/** What one client waits for a small file, request after request on one connection. */
export const latency: Scenario = async (bench) => {
  const { peers, streamer } = await bench.relays();
  const p99s = new Map<Relay, number[]>();
  const how = 'SHA-256 verified and logged';
  const p50 = await hold({
    title: '4 KiB from a feed, one client: half of the requests are answered within',
    unit: 'µs',
    rounds: bench.sizes.rounds,
    contenders: withPeers(peers, streamer, 'p50', how, async (relay, isOurs) => {
      const took = await downloadFresh(bench, relay, isOurs ? 'verified' : 'http', bench.sizes.latencies, 1);
      p99s.set(relay, [...(p99s.get(relay) ?? []), 1000 * percentile(took, 99)]);
      return 1000 * percentile(took, 50);
    }),
  });
  // The same requests, so nothing is downloaded again.
  const p99 = await hold({
    title: '… 99 of 100 within',
    unit: 'µs',
    rounds: bench.sizes.rounds,
    contenders: withPeers(peers, streamer, 'p99', how, async (relay) => p99s.get(relay)?.shift() ?? Number.NaN),
  });
  return [p50, p99];
};

/** What small files leave behind in memory. */
export const garbage: Scenario = async (bench) => {
  const { peers, streamer } = await bench.relays();
  const { requests } = bench.sizes;
  const onNode = peers.filter(({ id }) => id === 'node' || id === 'undici' || id === 'fastify');
  return [
    await hold({
      title: 'JavaScript heap allocated for 4 KiB from a feed',
      unit: 'KiB',
      rounds: bench.sizes.rounds,
      contenders: withPeers(onNode, streamer, 'garbage', 'SHA-256 verified and logged', async (relay, isOurs) => {
        await relay.request('start');
        await downloadFresh(bench, relay, isOurs ? 'verified' : 'http', requests, CLIENTS);
        return (await relay.request<number>('stop')) / 1024 / requests;
      }),
    }),
    await hold({
      title: 'Resident memory after all of this',
      unit: 'MiB',
      rounds: 1,
      rehearse: false,
      contenders: withPeers(peers, streamer, 'resident', 'no copies', async ({ pid }) => residentOf(pid) / 1024 ** 2),
    }),
  ];
};

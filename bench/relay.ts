import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { type Contender, hold } from './contest.ts';
import { startFeeds } from './feed.ts';
import { cpuOf, residentOf } from './processes.ts';
import { type Content, type Place, type Relay, type Relays, startRelays } from './relays.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const LARGE = Number(process.env.BENCH_BYTES ?? 256 * 1024 ** 2);
const SMALL = 4096;
const REQUESTS = Number(process.env.BENCH_REQUESTS ?? 2000);
/** Concurrent clients. */
const CLIENTS = 8;
const SLOW = Number(process.env.BENCH_CLIENTS ?? 200);

const download = async (url: string, size: number, agent: Agent | false = false): Promise<void> => {
  const [res] = (await once(get(url, { agent }), 'response')) as [IncomingMessage];
  let bytes = 0;
  res.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await once(res, 'end');
  if (res.statusCode !== 200 || bytes !== size) throw new Error(`${url}: ${res.statusCode}, ${bytes} bytes`);
};

/** Requests files of a relay by their names; resolves to the units of work. */
type Load = (urlOf: (name: string) => string) => Promise<number>;

const one: Load = async (urlOf) => {
  await download(urlOf(`${LARGE}-0`), LARGE);
  return LARGE / 1024 ** 3;
};

/** Each client requests another file: clients of one file would share a transfer. */
const many: Load = async (urlOf) => {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  let left = REQUESTS;
  const client = async (_: unknown, number: number) => {
    while (left-- > 0) await download(urlOf(`${SMALL}-${number}`), SMALL, agent);
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  agent.destroy();
  return REQUESTS / 1e6;
};

/** All relays from a place, Node's own first. */
const contendersOf = ({ plain, streamer, nginx }: Relays, place: string, load: Load): [Contender, ...Contender[]] => {
  const contender = ({ name, url, pid }: Relay, { how = '', suffix = '' } = {}): Contender => ({
    name: name + how,
    run: async () => {
      const before = cpuOf(pid);
      const units = await load((file) => `${url}/${place}/${file}${suffix}`);
      return (cpuOf(pid) - before) / units;
    },
  });
  return [
    contender(plain),
    contender(streamer, { how: ', no checksum' }),
    contender(streamer, { how: ', SHA-256 verified', suffix: '/verified' }),
    ...(nginx ? [contender(nginx)] : []),
  ];
};

const namesOf = (size: number, count: number): string[] =>
  Array.from({ length: count }, (_, number) => `${size}-${number}`);

const PLACES: Readonly<Record<Place, string>> = {
  http: 'a feed',
  https: 'an HTTPS feed that demands a client certificate',
  file: 'a file on disk',
};

const withRelays = async (
  folder: string,
  content: Content,
  work: (relays: Relays, sent: () => number) => Promise<void>,
) => {
  const feeds = await startFeeds();
  const relays = await startRelays(folder, feeds, content);
  try {
    await work(relays, feeds.sent);
  } finally {
    await relays.stop();
    feeds.close();
  }
};

/**
 * The cost of relaying for the process that does it. BENCH_BYTES: size of the large body.
 * BENCH_REQUESTS: number of small ones.
 */
export const relay = (folder: string): Promise<void> =>
  withRelays(folder, { onDisk: [`${LARGE}-0`, ...namesOf(SMALL, CLIENTS)] }, async (relays) => {
    for (const [place, from] of Object.entries(PLACES)) {
      const contenders = contendersOf(relays, place, one);
      for (const { run } of contenders) await run();
      await hold({ title: `Relaying ${LARGE >> 20} MiB from ${from}`, unit: 'CPU s/GiB', rounds: ROUNDS, contenders });
    }
    for (const [place, from] of Object.entries(PLACES)) {
      const contenders = contendersOf(relays, place, many);
      for (const { run } of contenders) await run();
      await hold({ title: `Relaying ${SMALL >> 10} KiB from ${from}`, unit: 'CPU µs', rounds: ROUNDS, contenders });
    }
  });

/** The cost of clients that read nothing after the head. BENCH_CLIENTS: their number. */
export const slow = (folder: string): Promise<void> =>
  withRelays(folder, { inFeeds: namesOf(LARGE, SLOW) }, async ({ plain, streamer, nginx }, sent) => {
    /** Resolves once the feed sends no more: all buffers on the way are full. */
    const settled = async () => {
      for (let before = -1; before !== sent(); await setTimeout(500)) before = sent();
    };
    const contender = ({ name, url, pid }: Relay, how: string, fileOf: (client: number) => string): Contender => ({
      name: name + how,
      run: async () => {
        await download(`${url}/http/${fileOf(0)}`, LARGE);
        const before = residentOf(pid);
        const agent = new Agent();
        const asked = Array.from({ length: SLOW }, (_, client) =>
          once(get(`${url}/http/${fileOf(client)}`, { agent }), 'response'),
        );
        const responses = (await Promise.all(asked)).map(([response]) => response as IncomingMessage);
        if (responses.some(({ statusCode }) => statusCode !== 200)) throw new Error(`${url} refused a client`);
        await settled();
        const grown = residentOf(pid) - before;
        for (const response of responses) response.destroy();
        return grown / SLOW / 1024;
      },
    });
    const each = (relay: Relay) => contender(relay, ', a file each', (client) => `${LARGE}-${client}`);
    await hold({
      title: `Memory for each of ${SLOW} clients that read no byte of ${LARGE >> 20} MiB`,
      unit: 'KiB',
      rounds: 1,
      contenders: [
        each(plain),
        each(streamer),
        contender(streamer, ', all the same file', () => `${LARGE}-0/verified`),
        ...(nginx ? [each(nginx)] : []),
      ],
    });
  });

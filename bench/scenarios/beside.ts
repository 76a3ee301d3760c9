import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { packageRoot } from '../../src/app/version.ts';
import { type Bench, type Scenario, SMALL } from '../bench.ts';
import { type Contender, hold, median } from '../contest.ts';
import { download } from '../load.ts';
import { gone, pinned } from '../machine.ts';
import type { Relay } from '../relay.ts';
import { startRelays } from '../relays.ts';

/** Bytes of the files of the fast clients: more than they ever get. */
const BYTES = 1024 ** 4;

/** Fast clients. */
const READERS = [1, 10];

/** How long a small file takes on a new connection, while others read large ones as fast as they can. */
export const beside: Scenario = async (bench) => {
  const { sizes, cores, main, origin } = bench;
  const { rounds } = sizes;
  const relays = await startRelays({
    ...{ folder: bench.folder('beside'), origin, core: cores?.contender, main },
    supplies: [
      { route: 'http', size: BYTES, count: READERS.reduce((sum, count) => sum + count, 0) * rounds },
      { route: 'http', size: SMALL, count: READERS.length * rounds * newcomersOf(bench) },
    ],
    disk: new Map(),
  });
  try {
    const results = [];
    for (const readers of READERS)
      results.push(
        await hold({
          title: `A small file on a new connection, beside ${readers === 1 ? 'a client that reads' : `${readers} clients that read`} as fast as possible: half of them within`,
          unit: 'ms',
          rounds,
          rehearse: false,
          contenders: [
            ...relays.peers.map(
              (peer): Contender => ({
                ...{ id: peer.id, name: peer.name },
                run: () => newcomer(bench, peer, readers),
              }),
            ),
            {
              ...{ id: `beside-${readers}`, ours: true, name: relays.streamer.name },
              run: () => newcomer(bench, relays.streamer, readers),
            },
          ],
        }),
      );
    return results;
  } finally {
    await relays.stop();
  }
};

/** Small files of one run: each takes long where others read. */
const newcomersOf = ({ sizes }: Bench): number => Math.ceil(sizes.newcomers / 10);

/** Milliseconds of half of the small files, one after the other. */
const newcomer = async (bench: Bench, relay: Relay, readers: number): Promise<number> => {
  const program = join(packageRoot, 'bench/contenders/readers.ts');
  const urls = Array.from({ length: readers }, () => relay.fresh('http', BYTES).url);
  const [command, ...args] = pinned(bench.cores?.load, [process.execPath, program, ...urls]);
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  try {
    await Promise.race([
      once(child, 'message'),
      gone(child).then(() => {
        throw new Error(`${relay.name} ended a body before its end`);
      }),
    ]);
    const took: number[] = [];
    for (let number = 0; number < newcomersOf(bench); number += 1)
      took.push(await download(relay.fresh('http', SMALL)));
    return median(took);
  } finally {
    child.kill();
    await gone(child);
  }
};

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import type { Scenario } from '../bench.ts';
import { digestOf, sizeOf } from '../content.ts';
import { percentile, type Result } from '../contest.ts';
import { type Fault, faultyName, startFaultyFeed } from '../faulty-feed.ts';
import { type FleetProxy, freeLowPort, hasAcng, namesOf, startAcng, startStreamer } from '../fleet-proxies.ts';
import { allCpuOf } from '../machine.ts';
import { startOrigin } from '../origin.ts';

/** What one contender did in all rounds. */
interface Measurements {
  readonly cpu: number[];
  readonly waits: number[];
  readonly fetched: number[];
}

/** How downloads ended whose feed died in mid-body. */
type Ending = 'right' | 'cut' | 'wrong';

/**
 * A fleet of clients that ask the streamer as their proxy for the packages of one repository, each for
 * all of them: its CPU time, how long a client waits, and what is fetched from the feed. Beside
 * apt-cacher-ng. Then each client asks for a package of a feed that dies in mid-body.
 */
export const fleet: Scenario = async (bench) => {
  if (!hasAcng()) return [];
  const { sizes, cores, folder } = bench;
  const rounds = sizes.rounds + 1;
  const origin = await startOrigin(folder('feed'), cores?.origin, await freeLowPort());
  const dying = await startFaultyFeed();
  const running: FleetProxy[] = [];
  try {
    running.push(await startAcng(bench));
    running.push(await startStreamer(bench, origin.http, dying.url, rounds));
    const done = new Map(running.map(({ id }) => [id, { cpu: [], waits: [], fetched: [] } as Measurements]));
    for (let round = 0; round < rounds; round += 1)
      for (const proxy of running) {
        const names = namesOf(bench, proxy.id, round);
        const total = names.reduce((sum, name) => sum + sizeOf(name), 0);
        // A thread of apt-cacher-ng ends with its connection.
        const [cpu, { sent }] = [allCpuOf(proxy.pid), await origin.counts()];
        const waits = await serveFleet(proxy, origin.http, names, sizes.fleet);
        if (round === 0) continue;
        const own = done.get(proxy.id);
        own?.cpu.push((allCpuOf(proxy.pid) - cpu) / ((sizes.fleet * total) / 1024 ** 3));
        own?.waits.push(percentile(waits, 99));
        own?.fetched.push(((await origin.counts()).sent - sent) / total);
      }
    const ended = new Map<string, string>();
    for (const proxy of running) ended.set(proxy.id, await endings(proxy, dying.url, sizes.fleet));
    const packages = `${sizes.fleetPackages} packages for each of ${sizes.fleet} clients of one proxy`;
    const table = (title: string, unit: string, key: keyof Measurements, also = false): Result => ({
      title: `${packages}: ${title}`,
      unit,
      measured: running.map(({ id, name }) => ({
        ...{ id: id === 'ours' ? `fleet-${key}` : id, name, ours: id === 'ours', costs: done.get(id)?.[key] ?? [] },
        also: also ? ended.get(id) : undefined,
      })),
    });
    return [
      table('its CPU time', 'CPU s/GiB', 'cpu', true),
      table('99 of 100 packages are there within', 'ms', 'waits'),
      table('bytes from the feed', 'bytes for one of the repository', 'fetched'),
    ];
  } finally {
    await Promise.all(running.map((proxy) => proxy.stop()));
    dying.close();
    await origin.stop();
  }
};

/** Each client downloads all packages in an order of its own. Resolves to the milliseconds of each download. */
const serveFleet = async (
  proxy: FleetProxy,
  feed: string,
  names: readonly string[],
  clients: number,
): Promise<readonly number[]> => {
  const waits: number[] = [];
  const client = async (_: unknown, number: number) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let next = 0; next < names.length; next += 1) {
      // Each begins elsewhere, so that at any time several packages are asked for.
      const name = names[(next + 2 * number) % names.length] ?? '';
      const began = performance.now();
      const { status, sha256 } = await receive(proxy.url, `${feed}/pool/${name}`, agent);
      if (status !== 200 || sha256 !== digestOf(name)) throw new Error(`${proxy.name}: ${name}: ${status}, ${sha256}`);
      waits.push(performance.now() - began);
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: clients }, client));
  return waits;
};

/** Asks a proxy for a URL. Rejects if the body breaks off. */
const receive = async (proxy: string, url: string, agent: Agent | false) => {
  const { hostname, port } = new URL(proxy);
  const ask = async () => {
    const sent = request({ agent, hostname, port, path: url, headers: { host: new URL(url).host } }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return response;
  };
  // A kept connection may have been closed just before: like apt, a client asks once more.
  const response = await ask().catch(ask);
  const hash = createHash('sha256');
  for await (const chunk of response) hash.update(chunk);
  return { status: response.statusCode, sha256: hash.digest('hex') };
};

/** How downloads end whose feed dies in mid-body, as a remark for the table. */
const endings = async (proxy: FleetProxy, feed: string, clients: number): Promise<string> =>
  [
    `a feed that dies in mid-body: ${await endingsOf(proxy, feed, 'dying', clients)}`,
    `and then has another file: ${await endingsOf(proxy, feed, 'changing', clients)}`,
  ].join('; ');

const endingsOf = async (proxy: FleetProxy, feed: string, how: Fault, clients: number): Promise<string> => {
  const ended = await Promise.all(
    Array.from({ length: clients }, async (_, number): Promise<Ending> => {
      const name = faultyName(proxy.id, how, number);
      try {
        const { status, sha256 } = await receive(proxy.url, `${feed}/pool/${name}`, false);
        return status !== 200 ? 'cut' : sha256 === digestOf(name) ? 'right' : 'wrong';
      } catch {
        return 'cut';
      }
    }),
  );
  const count = (ending: Ending) => ended.filter((one) => one === ending).length;
  return `${count('right')} right, ${count('cut')} cut, ${count('wrong')} wrong`;
};

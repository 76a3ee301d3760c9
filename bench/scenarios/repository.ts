import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shipped } from '../../test/support/shipped.ts';
import { type Bench, CLIENTS, expecting, type Scenario } from '../bench.ts';
import { digestOf } from '../content.ts';
import { type Contender, hold } from '../contest.ts';
import { downloadAll, totalOf } from '../load.ts';
import { cpuOf, freePort, NO_FILE, pinned, type ServerProcess, startServer, usageOf } from '../machine.ts';
import type { Asked } from '../relay.ts';
import { makeRepository, sizeOfPackage } from '../yum.ts';

const MIB = 1024 ** 2;

/** A yum repository, imported and then fetched completely through Squid as shipped, whose cache is empty. */
export const repository: Scenario = async (bench) => {
  if (spawnSync('squid', ['-v']).status !== 0) return [];
  const { sizes, cores, main, origin } = bench;
  const names = Array.from(
    { length: sizes.repository },
    (_, number) => `${sizeOfPackage(number)}-package-${number}.rpm`,
  );
  // The origin serves the metadata from this folder.
  const repodata = await makeRepository(
    bench.originFolder,
    names.map((name) => ({ href: `Packages/${name}`, sha256: digestOf(name), size: Number.parseInt(name, 10) })),
  );
  const rounds = sizes.rounds + 1;
  const state = bench.folder('repository');
  const standard = ['--config', NO_FILE, '--state-dir', state];
  for (let round = 0; round < rounds; round += 1)
    await usageOf(
      cores?.contender,
      main,
      ...['catalog', 'import', 'yum', `${origin.http}/ours${round}`],
      ...['--prefix', `/ours${round}`, ...standard],
    );

  const running: ServerProcess[] = [];
  const started = async (starting: Promise<ServerProcess>) => {
    const server = await starting;
    running.push(server);
    return server;
  };
  try {
    const streamer = await started(
      startServer((port) => [process.execPath, main, 'serve', '--port', String(port), ...standard], {
        core: cores?.contender,
        log: join(state, 'log'),
      }),
    );
    const toFeed = await started(startSquid(bench, origin.http));
    const toStreamer = await started(startSquid(bench, streamer.url));
    const contender = (
      squid: ServerProcess,
      prefix: string,
      ...counted: readonly ServerProcess[]
    ): Contender['run'] => {
      let round = 0;
      return async () => {
        const base = `${squid.url}/${prefix}${round++}`;
        const files: Asked[] = names.map((name) => ({ name, url: `${base}/Packages/${name}` }));
        const cpu = () => [squid, ...counted].reduce((sum, { pid }) => sum + cpuOf(pid), 0);
        const before = cpu();
        await expecting(bench, names.length, () => downloadAll(files, CLIENTS));
        return (cpu() - before) / (totalOf(files) / 1024 ** 3);
      };
    };
    const total = totalOf(names.map((name) => ({ name, url: '' }))) / MIB;
    return [
      await hold({
        title: `A yum repository of ${sizes.repository} packages, ${total.toFixed(0)} MiB, through Squid with an empty cache`,
        unit: 'CPU s/GiB',
        rounds: sizes.rounds,
        contenders: [
          { id: 'squid', name: 'Squid, directly from the feed', run: contender(toFeed, 'theirs') },
          {
            id: 'repository',
            name: 'Squid and pulp-streamer as shipped, together',
            ours: true,
            run: contender(toStreamer, 'ours', streamer),
            also: () => `${(repodata.xmlBytes / 1024).toFixed(0)} KiB of metadata imported`,
          },
        ],
      }),
    ];
  } finally {
    await Promise.all(running.map((server) => server.stop()));
  }
};

/** Squid in the foreground with the shipped configuration, in front of a server. */
const startSquid = async ({ folder, cores }: Bench, server: string): Promise<ServerProcess> => {
  const own = folder('squid');
  const spool = join(own, 'spool');
  mkdirSync(spool);
  // Squid changes from root to its user, which must be able to write there.
  for (const each of [own, spool]) chmodSync(each, 0o777);
  const config = join(own, 'squid.conf');
  const port = await freePort();
  const places = {
    3128: port,
    8751: new URL(server).port,
    '/var/spool/squid': spool,
    '/var/log/squid': own,
    '/run/squid.pid': join(own, 'squid.pid'),
  };
  writeFileSync(config, shipped('squid/squid.conf', places));
  // Two of the same name on a machine would disturb each other.
  const args = ['-n', `bench${port}`, '-N', '-f', config];
  const [command, ...all] = pinned(cores?.contender, ['squid', ...args, '-z']);
  const { status, stderr } = spawnSync(command, all, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`squid -z ended with ${status}: ${stderr}`);
  return startServer(() => ['squid', ...args], { core: cores?.contender, port });
};

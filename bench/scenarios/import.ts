import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../src/app/version.ts';
import type { Scenario } from '../bench.ts';
import { type Contender, hold } from '../contest.ts';
import { NO_FILE, type Usage, usageOf } from '../machine.ts';
import { makeRepository, packages } from '../yum.ts';

const MIB = 1024 ** 2;

/** A separate process each time. The peak is the highest of all rounds. */
export const contender = (
  own: Pick<Contender, 'id' | 'name' | 'ours'>,
  run: (round: number) => Promise<Usage>,
): Contender => {
  let round = 0;
  let peak = 0;
  return {
    ...own,
    run: async () => {
      const { cpuSeconds, peakBytes } = await run(round++);
      peak = Math.max(peak, peakBytes);
      return cpuSeconds;
    },
    also: () => `at most ${(peak / MIB).toFixed(0)} MiB resident`,
  };
};

/** Reading the metadata of a large yum repository. */
export const imports: Scenario = async ({ sizes, cores, main, folder }) => {
  const parent = folder('import');
  const repository = join(parent, 'repository');
  const sources = join(parent, 'conf.d');
  const { xmlBytes } = await makeRepository(repository, packages(sizes.packages));
  mkdirSync(sources);
  const url = pathToFileURL(repository).href;
  writeFileSync(
    join(sources, 'bench.conf'),
    `[bench]\nenabled: 1\ntype: yum\nname: bench\nexpires: 1d\nbase_url: ${url}/\n`,
  );
  const standard = (round: number, what: string) => [
    ...['--config', NO_FILE, '--state-dir', join(parent, `${what}-${round}`)],
  ];
  const core = cores?.contender;

  return [
    await hold({
      title: `Reading a yum repository of ${sizes.packages.toLocaleString('en')} packages, ${(xmlBytes / MIB).toFixed(0)} MiB of XML`,
      unit: 'CPU s',
      rounds: Math.min(3, sizes.rounds),
      rehearse: false,
      contenders: [
        contender({ id: 'parser', name: 'gunzip, SHA-256 and an XML parser without handlers' }, () =>
          usageOf(core, join(packageRoot, 'bench/contenders/parse.ts'), join(repository, 'repodata/primary.xml.gz')),
        ),
        contender({ id: 'import', name: 'pulp-streamer catalog import yum', ours: true }, (round) =>
          usageOf(
            core,
            main,
            'catalog',
            'import',
            'yum',
            repository,
            '--prefix',
            '/bench',
            ...standard(round, 'import'),
          ),
        ),
        contender({ id: 'refresh', name: 'pulp-streamer sources refresh', ours: true }, (round) =>
          usageOf(core, main, 'sources', 'refresh', '--content-sources-dir', sources, ...standard(round, 'refresh')),
        ),
      ],
    }),
  ];
};

import { createHash } from 'node:crypto';
import { createWriteStream, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { createGzip } from 'node:zlib';
import { packageRoot } from '../src/app/version.ts';
import { type Contender, hold } from './contest.ts';
import { type Usage, usageOf } from './processes.ts';

const ROUNDS = Math.min(3, Number(process.env.BENCH_ROUNDS ?? 3));
const PACKAGES = Number(process.env.BENCH_PACKAGES ?? 100_000);
const MAIN = join(packageRoot, 'src/cli/main.ts');
const MIB = 1024 ** 2;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A package as createrepo_c writes it, with an average number of requirements and files. */
const packageXml = (number: number): string => {
  const name = `package-${number}`;
  const entries = Array.from(
    { length: 12 },
    (_, index) => `<rpm:entry name="lib${(number + 31 * index) % 997}.so.${index}()(64bit)"/>`,
  );
  return `<package type="rpm"><name>${name}</name><arch>noarch</arch><version epoch="0" ver="1.${number % 97}" rel="1"/>
<checksum type="sha256" pkgid="YES">${sha256(name)}</checksum><summary>${name}</summary><description>The purpose of ${name}, in one line.</description>
<packager/><url>https://example.com/${name}</url><time file="1700000000" build="1700000000"/><size package="${1000 + number}" installed="4096" archive="4352"/>
<location href="Packages/p/${name}-1.${number % 97}-1.noarch.rpm"/><format><rpm:license>Apache-2.0</rpm:license><rpm:vendor/><rpm:group>Unspecified</rpm:group>
<rpm:buildhost>localhost</rpm:buildhost><rpm:sourcerpm>${name}-1-1.src.rpm</rpm:sourcerpm><rpm:header-range start="4504" end="6000"/>
<rpm:provides><rpm:entry name="${name}" flags="EQ" epoch="0" ver="1" rel="1"/></rpm:provides><rpm:requires>${entries.join('\n')}</rpm:requires>
<file>/usr/bin/${name}</file></format></package>\n`;
};

/** A yum repository with the metadata of `packages` packages, without the packages. */
export const makeRepository = async (folder: string, packages: number): Promise<{ readonly xmlBytes: number }> => {
  mkdirSync(join(folder, 'repodata'), { recursive: true });
  const [opened, closed] = [createHash('sha256'), createHash('sha256')];
  let xmlBytes = 0;
  function* xml(): Generator<Buffer> {
    const parts = function* () {
      yield `<?xml version="1.0" encoding="UTF-8"?>\n<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="${packages}">\n`;
      for (let number = 0; number < packages; number += 1) yield packageXml(number);
      yield '</metadata>\n';
    };
    for (const part of parts()) {
      const bytes = Buffer.from(part);
      xmlBytes += bytes.length;
      opened.update(bytes);
      yield bytes;
    }
  }
  const file = join(folder, 'repodata/primary.xml.gz');
  const digesting = async function* (source: AsyncIterable<Buffer>) {
    for await (const bytes of source) {
      closed.update(bytes);
      yield bytes;
    }
  };
  await pipeline(Readable.from(xml()), createGzip({ level: 1 }), digesting, createWriteStream(file));
  writeFileSync(
    join(folder, 'repodata/repomd.xml'),
    `<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>1</revision><data type="primary">
<checksum type="sha256">${closed.digest('hex')}</checksum><open-checksum type="sha256">${opened.digest('hex')}</open-checksum>
<location href="repodata/primary.xml.gz"/><timestamp>1700000000</timestamp><size>${statSync(file).size}</size><open-size>${xmlBytes}</open-size>
</data></repomd>\n`,
  );
  return { xmlBytes };
};

/** Each round runs in a separate process; the peak is the highest of all rounds. */
export const contender = (name: string, run: (round: number) => Promise<Usage>): Contender => {
  let round = 0;
  let peak = 0;
  return {
    name,
    run: async () => {
      const { cpuSeconds, peakBytes } = await run(round++);
      peak = Math.max(peak, peakBytes);
      return cpuSeconds;
    },
    also: () => `at most ${(peak / MIB).toFixed(0)} MiB resident`,
  };
};

/** Reads the metadata of a large yum repository. BENCH_PACKAGES: the number of its packages. */
export const imports = async (folder: string): Promise<void> => {
  const repository = join(folder, 'repository');
  const sources = join(folder, 'conf.d');
  const { xmlBytes } = await makeRepository(repository, PACKAGES);
  mkdirSync(sources);
  const url = pathToFileURL(repository).href;
  writeFileSync(
    join(sources, 'bench.conf'),
    `[bench]\nenabled: 1\ntype: yum\nname: bench\nexpires: 1d\nbase_url: ${url}/\n`,
  );
  const stateDir = (round: number, what: string) => ['--state-dir', join(folder, `${what}-${round}`)];

  await hold({
    title: `Reading a yum repository of ${PACKAGES.toLocaleString('en')} packages, ${(xmlBytes / MIB).toFixed(0)} MiB of XML`,
    unit: 'CPU s',
    rounds: ROUNDS,
    contenders: [
      contender('gunzip, SHA-256 and an XML parser with one empty listener', () =>
        usageOf(join(packageRoot, 'bench/parse.ts'), join(repository, 'repodata/primary.xml.gz')),
      ),
      contender('pulp-streamer catalog import yum', (round) =>
        usageOf(MAIN, 'catalog', 'import', 'yum', repository, '--prefix', '/bench', ...stateDir(round, 'import')),
      ),
      contender('pulp-streamer sources refresh', (round) =>
        usageOf(MAIN, 'sources', 'refresh', '--content-sources-dir', sources, ...stateDir(round, 'refresh')),
      ),
    ],
  });
};

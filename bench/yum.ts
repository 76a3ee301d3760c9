import { createHash } from 'node:crypto';
import { createWriteStream, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import lzma from 'lzma-native';

export interface Package {
  /** Its location, relative to the repository. */
  readonly href: string;
  readonly sha256: string;
  readonly size: number;
}

/**
 * Sizes as in a distribution: half of the packages are below 80 KiB, the average is some 500 KiB.
 * The same in each run.
 */
export const sizeOfPackage = (number: number): number => {
  const uniform = (((number + 1) * 0.618_033_988_75) % 1) * 0.98 + 0.01;
  return Math.round(80 * 1024 * Math.exp(1.9 * Math.log(uniform / (1 - uniform)) * 0.6));
};

/** N packages that nobody is going to download. */
export const packages = (count: number): readonly Package[] =>
  Array.from({ length: count }, (_, number) => ({
    href: `Packages/p/package-${number}-1.${number % 97}-1.noarch.rpm`,
    sha256: createHash('sha256').update(`package-${number}`).digest('hex'),
    size: 1000 + number,
  }));

/** As createrepo_c writes it, with as many requirements and files as packages have on average. */
const packageXml = ({ href, sha256, size }: Package, number: number): string => {
  const name = `package-${number}`;
  const entries = Array.from(
    { length: 12 },
    (_, index) => `<rpm:entry name="lib${(number + 31 * index) % 997}.so.${index}()(64bit)"/>`,
  );
  return `<package type="rpm"><name>${name}</name><arch>noarch</arch><version epoch="0" ver="1.${number % 97}" rel="1"/>
<checksum type="sha256" pkgid="YES">${sha256}</checksum><summary>${name}</summary><description>What ${name} is good for, in one line.</description>
<packager/><url>https://example.com/${name}</url><time file="1700000000" build="1700000000"/><size package="${size}" installed="4096" archive="4352"/>
<location href="${href}"/><format><rpm:license>Apache-2.0</rpm:license><rpm:vendor/><rpm:group>Unspecified</rpm:group>
<rpm:buildhost>localhost</rpm:buildhost><rpm:sourcerpm>${name}-1-1.src.rpm</rpm:sourcerpm><rpm:header-range start="4504" end="6000"/>
<rpm:provides><rpm:entry name="${name}" flags="EQ" epoch="0" ver="1" rel="1"/></rpm:provides><rpm:requires>${entries.join('\n')}</rpm:requires>
<file>/usr/bin/${name}</file></format></package>\n`;
};

/** How the list of packages is packed: quickly, since nobody measures that. */
const PACKERS = {
  gz: () => createGzip({ level: 1 }),
  xz: () => lzma.createCompressor({ preset: 1 }),
} satisfies Readonly<Record<string, () => NodeJS.ReadWriteStream>>;

export type Packed = keyof typeof PACKERS;

/** Writes the metadata of a yum repository, without its packages. */
export const makeRepository = async (
  folder: string,
  contents: readonly Package[],
  packed: Packed = 'gz',
): Promise<{ readonly xmlBytes: number }> => {
  mkdirSync(join(folder, 'repodata'), { recursive: true });
  const [opened, closed] = [createHash('sha256'), createHash('sha256')];
  let xmlBytes = 0;
  function* xml(): Generator<Buffer> {
    const parts = function* () {
      yield `<?xml version="1.0" encoding="UTF-8"?>\n<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="${contents.length}">\n`;
      for (const [number, content] of contents.entries()) yield packageXml(content, number);
      yield '</metadata>\n';
    };
    for (const part of parts()) {
      const bytes = Buffer.from(part);
      xmlBytes += bytes.length;
      opened.update(bytes);
      yield bytes;
    }
  }
  const primary = `repodata/primary.xml.${packed}`;
  const file = join(folder, primary);
  const digesting = async function* (source: AsyncIterable<Buffer>) {
    for await (const bytes of source) {
      closed.update(bytes);
      yield bytes;
    }
  };
  await pipeline(Readable.from(xml()), PACKERS[packed](), digesting, createWriteStream(file));
  writeFileSync(
    join(folder, 'repodata/repomd.xml'),
    `<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>1</revision><data type="primary">
<checksum type="sha256">${closed.digest('hex')}</checksum><open-checksum type="sha256">${opened.digest('hex')}</open-checksum>
<location href="${primary}"/><timestamp>1700000000</timestamp><size>${statSync(file).size}</size><open-size>${xmlBytes}</open-size>
</data></repomd>\n`,
  );
  return { xmlBytes };
};

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { anyHonest, anyLie, asScript } from '../faults/fault.ts';
import type { FaultyFeed, Resource } from '../faults/feed.ts';
import type { Random } from '../faults/random.ts';
import { checksumOf } from '../faults/scene.ts';
import { descriptorOf } from '../support/alternates.ts';
import { ALONE } from './ends.ts';
import { put, type SoakFile, type World } from './plan.ts';
import type { Stage } from './stage.ts';

/** Files of a repository that is imported during the run, and whose mirror is refreshed. */
const FILES = 12;

/**
 * Puts a repository into a feed and a faulty mirror of it into another, imports it by the command
 * line, and has the mirror refreshed. Resolves to its files.
 */
export const importRepository = async (
  number: number,
  {
    stage,
    world,
    random,
    feed,
    mirror,
  }: { stage: Stage; world: World; random: Random; feed: FaultyFeed; mirror: FaultyFeed },
): Promise<readonly SoakFile[]> => {
  const prefix = `/content/imported/${number}`;
  const ends = [...stage.ends.keys()];
  const files = Array.from({ length: FILES }, (_, index): SoakFile => {
    const size = random.whole(0, 3 * world.wholeBelow);
    const content = `imported-${number}-${index}`;
    const name = `file-${index}.iso`;
    const isLie = random.chance(0.1);
    const faults = random.chance(0.5) ? asScript((isLie ? anyLie : anyHonest)(size, random), size, random) : [];
    put(feed, `/imported/${number}/${name}`, { content, size, framing: 'length', faults: [] }, world);
    put(mirror, `/mirror/${number}/${name}`, { content, size, framing: 'chunked', faults }, world);
    return {
      path: `${prefix}/${name}`,
      kind: size <= world.wholeBelow ? 'small' : 'sized',
      content,
      size,
      checksum: checksumOf(world.contentOf(content, size)),
      sized: true,
      urls: [],
      good: true,
      lies: new Set(isLie ? faults : []),
      end: random.chance(0.5) ? ALONE : random.pick(ends),
      story: [`imported, ${size} bytes; its mirror: ${JSON.stringify(faults)}`],
    };
  });
  const lines = files.map(({ path, checksum, size }) => `${path.slice(prefix.length + 1)},${checksum.value},${size}\n`);
  const manifest: Resource = { bytes: Buffer.from(lines.join('')), framing: 'length', faults: [] };
  feed.resources.set(`/imported/${number}/PULP_MANIFEST`, manifest);
  mirror.resources.set(`/mirror/${number}/PULP_MANIFEST`, manifest);
  const { site } = stage;
  await site.run('catalog', 'import', 'files', `${feed.url}/imported/${number}/`, '--prefix', prefix);
  const descriptor = descriptorOf('mirror', `${mirror.url}/mirror/${number}/`, { type: 'files' });
  writeFileSync(join(site.stateDir, '../conf.d/mirror.conf'), descriptor);
  await refresh(site, 'mirror');
  return files;
};

/** A refresh of another process began before this one, or after it. */
const OTHER = /another process is refreshing it|another refresh of \S+ has started/;

/** A daemon that was started again may refresh at the same time. Then this is repeated. */
const refresh = async (site: Stage['site'], source: string): Promise<void> => {
  const { status, stdout, stderr } = await site.start('sources', 'refresh', source).ended;
  if (status === 0) return;
  if (!OTHER.test(stderr)) throw new Error(`${stdout}${stderr}`);
  await refresh(site, source);
};

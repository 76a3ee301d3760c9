import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Site } from './site.ts';

/** A unit at a feed, and its entry in the catalog. */
export interface Unit {
  readonly id: string;
  readonly path: string;
  readonly content: Buffer;
}

/** Units with these names, each with different content. */
export const unitsNamed = (names: readonly string[], size = 1_000): Unit[] =>
  names.map((name) => ({
    id: `unit-${name}`,
    path: `/pulp/units/${name}.rpm`,
    content: Buffer.alloc(size, createHash('sha512').update(name).digest()),
  }));

/** The content of the feed, by the paths in the catalog's URLs. */
export const contentsOf = (units: readonly Unit[]): Map<string, Buffer> =>
  new Map(units.map(({ path, content }) => [path, content]));

/** Adds the units to a site's catalog. */
export const loadUnits = async (site: Site, feed: string, units: readonly Unit[]): Promise<void> => {
  const importer = (await site.run('importers', 'add')).trim();
  const lines = units.map(({ id, path, content }) =>
    JSON.stringify({
      path,
      importer_id: importer,
      unit_id: id,
      unit_type_id: 'rpm',
      url: feed + path,
      checksum: createHash('sha256').update(content).digest('hex'),
      checksum_algorithm: 'sha256',
      revision: 1,
      data: {},
    }),
  );
  const file = join(site.stateDir, 'units.jsonl');
  writeFileSync(file, `${lines.join('\n')}\n`);
  await site.run('catalog', 'load', file);
};

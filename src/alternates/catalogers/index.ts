import { placeOfDeb } from '../../repositories/deb-place.ts';
import { type FoundUnit, METADATA, type Reader } from '../../repositories/format.ts';
import { apart } from '../../repositories/reader/apart.ts';
import type { Cataloger } from './cataloger.ts';
import { rhui } from './rhui.ts';

/** Without the repository's metadata files, which are not units of Pulp's. */
const unitsOf = (reader: Reader): Cataloger['read'] =>
  async function* (repository, selection) {
    for await (const item of reader(repository, selection)) if (item.unitTypeId !== METADATA) yield item;
  };

/** Yum repositories: packages, source packages, delta packages, and installable trees. */
export const yum: Cataloger = { type: 'yum', read: apart<FoundUnit>('yum-units') };

/** Folders of files with a PULP_MANIFEST, which Pulp’s alternate sources always have: type `iso`. */
export const files: Cataloger = {
  type: 'files',
  read: unitsOf(apart('files')),
  place: (path) => ({ path, selection: { lists: [] } }),
};

/** Debian repositories. */
export const deb: Cataloger = { type: 'deb', read: unitsOf(apart('deb')), place: placeOfDeb };

/** Every cataloger of the streamer; add new ones here. */
export const CATALOGERS: readonly Cataloger[] = [yum, rhui(yum), files, deb];

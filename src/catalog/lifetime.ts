import type { CatalogEntry } from '../../pipelines/model/index.ts';
import { METADATA } from '../repositories/format.ts';

/** A digest as part of a name: such a name belongs to one content only. */
const DIGEST = /[0-9a-f]{32}/i;

/** Whether other content may have the same name later. Packages carry their version in it. */
const keepsItsName = ({ unitTypeId, path }: CatalogEntry): boolean =>
  unitTypeId === METADATA && !DIGEST.test(path.slice(path.lastIndexOf('/') + 1));

/** An entry with the milliseconds that caches may keep metadata whose name stays when it changes. */
export const withLifetime =
  (maxAge: () => number) =>
  (entry: CatalogEntry): CatalogEntry =>
    keepsItsName(entry) ? { ...entry, maxAge: maxAge() } : entry;

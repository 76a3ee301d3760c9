import { type Format, METADATA } from '../../repositories/format.ts';
import type { Cataloger } from './cataloger.ts';

/**
 * The units of an importer's format, without the repository's metadata files, which are not units
 * of Pulp's.
 */
export const unitsOf = (format: Format): Cataloger['read'] =>
  async function* (repository, selection) {
    for await (const item of format(repository, selection)) if (item.unitTypeId !== METADATA) yield item;
  };

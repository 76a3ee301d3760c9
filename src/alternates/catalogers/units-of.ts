import { type Format, METADATA } from '../../repositories/format.ts';
import type { Cataloger } from './cataloger.ts';

/** What an importer's format finds, without the files that describe the repository: those are no units of Pulp's. */
export const unitsOf = (format: Format): Cataloger['read'] =>
  async function* (repository, selection) {
    for await (const item of format(repository, selection)) if (item.unitTypeId !== METADATA) yield item;
  };

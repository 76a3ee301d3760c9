import { METADATA, type Reader } from './format.ts';
import { readDistribution } from './treeinfo.ts';
import { yum } from './yum.ts';

/**
 * Reads the units of a yum repository: `rpm` and `srpm` of primary, `drpm` of prestodelta, and a
 * `distribution` if there is a treeinfo.
 */
export const yumUnits: Reader = async function* (repository, selection) {
  for await (const item of yum(repository, selection)) if (item.unitTypeId !== METADATA) yield item;
  yield* readDistribution(repository);
};

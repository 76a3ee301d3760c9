import { METADATA, type Reader, type RepositoryItem } from './format.ts';
import { readDeltas } from './prestodelta.ts';
import { readDistribution } from './treeinfo.ts';
import { yum } from './yum.ts';

/** By the file's name: every tool derives it from the `type` in repomd.xml. */
const isDeltas = ({ path }: RepositoryItem): boolean => /(^|[-/])(prestodelta|deltainfo)\.xml(\.|$)/.test(path);

/**
 * Reads the units of a yum repository: `rpm` and `srpm` of primary, `drpm` of prestodelta, and a
 * `distribution` if there is a treeinfo.
 */
export const yumUnits: Reader = async function* (repository, selection) {
  const deltas: RepositoryItem[] = [];
  for await (const item of yum(repository, selection)) {
    if (item.unitTypeId !== METADATA) yield item;
    else if (isDeltas(item)) deltas.push(item);
  }
  for (const item of deltas) yield* readDeltas(repository, item);
  yield* readDistribution(repository);
};

import { METADATA, type Repository, type RepositoryItem } from '../../repositories/format.ts';
import { yum as format } from '../../repositories/yum.ts';
import type { Cataloger } from './cataloger.ts';
import { readDeltas } from './prestodelta.ts';
import { readDistribution } from './treeinfo.ts';

/** By the file's name: every tool derives it from the `type` in repomd.xml. */
const isDeltas = ({ path }: RepositoryItem): boolean => /(^|[-/])(prestodelta|deltainfo)\.xml(\.|$)/.test(path);

/**
 * Yum repositories: `rpm` and `srpm` of primary, `drpm` of prestodelta, and a `distribution` if
 * there is a treeinfo.
 */
export const yum: Cataloger = {
  type: 'yum',
  read: async function* (repository: Repository, selection) {
    const deltas: RepositoryItem[] = [];
    for await (const item of format(repository, selection)) {
      if (item.unitTypeId !== METADATA) yield item;
      else if (isDeltas(item)) deltas.push(item);
    }
    for (const item of deltas) yield* readDeltas(repository, item);
    yield* readDistribution(repository);
  },
};

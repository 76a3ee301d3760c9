import type { FoundUnit, Repository } from './format.ts';
import { openOptional, readText } from './read.ts';

const NAMES = ['.treeinfo', 'treeinfo'];

/** The `[general]` section, which every generation of treeinfo files has. */
const generalOf = (text: string): ReadonlyMap<string, string> => {
  const values = new Map<string, string>();
  let section = '';
  for (const line of text.split(/\r?\n/)) {
    section = /^\s*\[([^\]]+)\]/.exec(line)?.[1] ?? section;
    const [, key, value] = /^([^#;\s:=][^:=]*)[:=](.*)$/.exec(line) ?? [];
    if (section === 'general' && key !== undefined && value !== undefined)
      values.set(key.trim().toLowerCase(), value.trim());
  }
  return values;
};

/**
 * The installable tree that a treeinfo file describes, if there is one. It is a unit of several
 * files, offered as their folder.
 */
export async function* readDistribution(repository: Repository): AsyncGenerator<FoundUnit> {
  for (const name of NAMES) {
    const bytes = await openOptional(repository.read(name));
    if (!bytes) continue;
    const general = generalOf((await readText(name, bytes)).text);
    const family = general.get('family');
    const version = general.get('version');
    const arch = general.get('arch');
    // Without these fields it matches no unit of Pulp's.
    if (!family || !version || !arch) return;
    const variant = general.get('variant') ?? '';
    yield {
      path: '',
      unitTypeId: 'distribution',
      unitKey: {
        distribution_id: ['ks', family, variant, version, arch].filter((part) => part !== '').join('-'),
        family,
        variant,
        version,
        arch,
      },
    };
    return;
  }
}

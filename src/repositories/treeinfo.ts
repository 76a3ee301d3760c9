import { BOUNDS, BoundExceeded } from './bounds.ts';
import { toChecksum } from './checksum.ts';
import { EXTRA_FILES, readExtraFiles } from './extra-files.ts';
import { type FoundUnit, metadataItem, type Repository, type RepositoryItem } from './format.ts';
import { unlessOdd } from './odd-entry.ts';
import { openOptional, readText } from './read.ts';
import { toRelativePath } from './relative-path.ts';

const NAMES = ['.treeinfo', 'treeinfo'];

/** Files without a checksum anywhere, which installers of such a tree ask for. */
const BESIDE = ['.discinfo', 'media.repo'];

type Sections = ReadonlyMap<string, ReadonlyMap<string, string>>;

const parse = (name: string, text: string): Sections => {
  const sections = new Map<string, Map<string, string>>();
  let current = new Map<string, string>();
  let number = 0;
  let found = 0;
  for (const line of text.split(/\r?\n/)) {
    number += 1;
    if (line.length > BOUNDS.text)
      throw new BoundExceeded(`${name}: line ${number}: longer than ${BOUNDS.text} characters`);
    const [, section] = /^\s*\[([^\]]+)\]/.exec(line) ?? [];
    const [, key, value] = /^([^#;\s:=[][^:=]*)[:=](.*)$/.exec(line) ?? [];
    if (section !== undefined) {
      current = sections.get(section) ?? new Map();
      sections.set(section, current);
      found += 1;
    } else if (key !== undefined && value !== undefined) {
      current.set(key.trim(), value.trim());
      found += 1;
    }
    if (found > BOUNDS.listed)
      throw new BoundExceeded(`${name}: line ${number}: more than ${BOUNDS.listed} sections and keys`);
  }
  return sections;
};

/** The keys of `[general]`, which every generation of treeinfo files has, in lower case. */
const generalOf = (sections: Sections): ReadonlyMap<string, string> =>
  new Map([...(sections.get('general') ?? [])].map(([key, value]) => [key.toLowerCase(), value]));

/**
 * The installable tree that a treeinfo file describes, if there is one. It is a unit of several
 * files, offered as their folder.
 */
export async function* readDistribution(repository: Repository): AsyncGenerator<FoundUnit> {
  for (const name of NAMES) {
    const bytes = await openOptional(repository.read(name));
    if (!bytes) continue;
    const general = generalOf(parse(name, (await readText(name, bytes)).text));
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

/** The files of a tree: those with a checksum, and the images, of which some have none. */
function* filesOf(repository: Repository, name: string, sections: Sections): Generator<RepositoryItem> {
  for (const [path, value] of sections.get('checksums') ?? []) {
    const where = `${name}: ${path}`;
    const colon = value.indexOf(':');
    const item = unlessOdd(repository, () =>
      metadataItem(toRelativePath(path, where), toChecksum(value.slice(0, colon), value.slice(colon + 1), where)),
    );
    if (item) yield item;
  }
  for (const [section, values] of sections) {
    if (!/^(images-|stage2$)/.test(section)) continue;
    for (const [key, path] of values) {
      const item = unlessOdd(repository, () => metadataItem(toRelativePath(path, `${name}: ${section}: ${key}`)));
      if (item) yield item;
    }
  }
}

/** The folders of further repositories inside the tree: its variants and add-ons. */
const foldersOf = (sections: Sections): ReadonlySet<string> => {
  const folders = [...sections]
    .filter(([section]) => /^(variant|addon)-/.test(section))
    .map(([, values]) => (values.get('repository') ?? '').replace(/^(\.\/+)+|\/+$/g, ''));
  // Those outside the tree are separate repositories.
  return new Set(folders.filter((folder) => !/^\.?$|^\/|(^|\/)\.\.(\/|$)|:\/\//.test(folder)));
};

/** What a tree has in addition to the packages of its repository. */
export interface Tree {
  readonly items: readonly RepositoryItem[];
  /** Of its further repositories, relative to the tree. */
  readonly folders: ReadonlySet<string>;
}

const readIfThere = async (repository: Repository, name: string) => {
  const bytes = await openOptional(repository.read(name));
  return bytes && readText(name, bytes);
};

/** Reads the treeinfo files at the base, and the lists beside them. */
export const readTree = async (repository: Repository): Promise<Tree | undefined> => {
  const items: RepositoryItem[] = [];
  const folders = new Set<string>();
  for (const name of NAMES) {
    const found = await readIfThere(repository, name);
    if (!found) continue;
    const sections = parse(name, found.text);
    items.push(metadataItem(name, found.checksum, found.size), ...filesOf(repository, name, sections));
    for (const folder of foldersOf(sections)) folders.add(folder);
    if (folders.size > BOUNDS.inside)
      throw new BoundExceeded(`${name}: more than ${BOUNDS.inside} repositories inside of the tree`);
  }
  if (items.length === 0) return undefined;
  for (const name of [...BESIDE, EXTRA_FILES]) {
    const found = await readIfThere(repository, name);
    if (!found) continue;
    items.push(metadataItem(name, found.checksum, found.size));
    if (name === EXTRA_FILES) items.push(...readExtraFiles(repository, found.text));
  }
  return { items, folders };
};

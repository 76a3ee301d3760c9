import { StreamError } from '../../../pipelines/model/errors.ts';
import { type Children, type Described, isPlain } from './described.ts';

/** How deep below a suite components are looked for: `main`, or `updates/main`. */
const DEPTH = 2;

/** Files that sign a suite (Debian's format of repositories). */
const SIGNATURES = ['InRelease', 'Release.gpg'];

/** The components of a suite: its folders in which indices are. */
const componentsOf = async (suite: string, children: Children, below = '', depth = 0): Promise<readonly string[]> => {
  const folders = (await children(`${suite}${below}`)).filter(({ isFolder }) => isFolder);
  if (below !== '' && folders.some(({ name }) => /^(?:binary-.*|source)$/.test(name)))
    return [below.replace(/\/$/, '')];
  const found: string[] = [];
  if (depth < DEPTH)
    for (const { name } of folders) found.push(...(await componentsOf(suite, children, `${below}${name}/`, depth + 1)));
  return found;
};

/**
 * The stanzas of a deb822 file for apt, one for each repository and form: suites, and flat ones. Its
 * keys, if it must be signed here, are in it. Otherwise apt checks with the keys that the client has.
 * Rejects with `NOT_IN_CATALOG` if no suite is known yet.
 *
 * @param keyOf the armoured keys of a repository
 */
export const sourcesFile = async (
  repositories: readonly Described[],
  children: Children,
  keyOf: (repository: Described) => Promise<string | undefined>,
): Promise<string> => {
  const stanzas: string[] = [];
  for (const repository of repositories) {
    const { selection, prefix } = repository;
    // An import without suites is that of a flat repository.
    const suites = (selection.suites ?? ['./']).filter(isPlain);
    if (suites.length === 0)
      throw new StreamError(
        'NOT_IN_CATALOG',
        'catalog',
        `no suite of ${prefix || '/'} is known yet: name them with \`catalog follow deb … --suite\``,
      );
    const key = await keyOf(repository);
    const { flat = [], named = [] } = Object.groupBy(suites, (suite) => (suite.endsWith('/') ? 'flat' : 'named'));
    if (flat.length > 0) stanzas.push(await stanza(repository, flat, [], key, children));
    if (named.length === 0) continue;
    const components = new Set<string>();
    for (const suite of named)
      for (const one of await componentsOf(`${prefix}/dists/${suite}/`, children))
        if (isPlain(one)) components.add(one);
    const all = components.size > 0 ? [...components] : (selection.components ?? ['main']).filter(isPlain);
    stanzas.push(await stanza(repository, named, all, key, children));
  }
  return ['# For apt: a file of /etc/apt/sources.list.d.\n', ...stanzas].join('\n');
};

const stanza = async (
  { url, prefix, view }: Described,
  suites: readonly string[],
  components: readonly string[],
  key: string | undefined,
  children: Children,
): Promise<string> => {
  const fields = [
    'Types: deb',
    `URIs: ${url}`,
    `Suites: ${suites.join(' ')}`,
    ...(components.length > 0 ? [`Components: ${components.join(' ')}`] : []),
    // The date until which a view of the past was valid is over one day.
    ...(view === undefined ? [] : ['Check-Valid-Until: no']),
    ...(key === undefined ? [] : [`Signed-By:\n${indented(key)}`]),
  ];
  // Whether to trust such a repository is the client's decision.
  if (key === undefined && (await isUnsigned(prefix, suites, children)))
    fields.push('# It is not signed. apt takes it only with this line:', '# Trusted: yes');
  return `${fields.join('\n')}\n`;
};

/** Whether one of the suites is known, and has no signature. */
const isUnsigned = async (prefix: string, suites: readonly string[], children: Children): Promise<boolean> => {
  for (const suite of suites) {
    const folder = suite.endsWith('/') ? `${prefix}/${suite.replace(/^\.\//, '')}` : `${prefix}/dists/${suite}/`;
    const there = await children(folder);
    if (there.length > 0 && !there.some(({ name }) => SIGNATURES.includes(name))) return true;
  }
  return false;
};

/** Lines of a field with several lines: an empty one is a dot. */
const indented = (text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => ` ${line === '' ? '.' : line}`)
    .join('\n');

import { BOUNDS, BoundExceeded } from './bounds.ts';
import { toChecksum } from './checksum.ts';
import { makeCounter } from './count.ts';
import type { Repository, RepositoryItem } from './format.ts';
import { readLines } from './lines.ts';
import { OddEntry, unlessOdd } from './odd-entry.ts';
import { resolvedPath } from './relative-path.ts';
import { toSize } from './size.ts';

export type Stanza = ReadonlyMap<string, string>;

const WANTED = new Set([
  'package',
  'version',
  'architecture',
  'filename',
  'size',
  'sha256',
  'sha512',
  'sha1',
  'md5sum',
]);

/** SHA-256 first, because every repository has it and Pulp uses it in its unit keys. */
const CHECKSUMS = [
  ['sha256', 'sha256'],
  ['sha512', 'sha512'],
  ['sha1', 'sha1'],
  ['md5sum', 'md5'],
] as const;

/**
 * The stanzas of a control file: the wanted fields up to an empty line, by their names in lower
 * case. The continuation lines of a value follow it, each after a line feed. apt skips a line
 * that is not a field.
 */
export async function* readStanzas(
  { leftOut }: Pick<Repository, 'leftOut'>,
  name: string,
  bytes: AsyncIterable<Uint8Array>,
  wanted: ReadonlySet<string>,
): AsyncGenerator<Stanza> {
  let stanza = new Map<string, string>();
  let number = 0;
  let fields = 0;
  let characters = 0;
  let field = '';
  const keep = (value: string): void => {
    if (!wanted.has(field)) return;
    characters += value.length;
    if (characters > BOUNDS.text)
      throw new BoundExceeded(`${name}: line ${number}: more than ${BOUNDS.text} characters in one stanza`);
    const before = stanza.get(field);
    stanza.set(field, before === undefined ? value : `${before}\n${value}`);
  };
  for await (const lines of readLines(name, bytes)) {
    for (const line of lines) {
      number += 1;
      if (line.trim() === '') {
        if (stanza.size > 0) yield stanza;
        stanza = new Map();
        fields = 0;
        characters = 0;
        continue;
      }
      if (line.startsWith('#')) continue;
      if (line.startsWith(' ') || line.startsWith('\t')) {
        keep(line.trim());
        continue;
      }
      const colon = line.indexOf(':');
      if (colon < 1) {
        leftOut(`${name}: line ${number}: '${line.slice(0, 80)}', expected FIELD: VALUE`, 1);
        continue;
      }
      fields += 1;
      if (fields > BOUNDS.fields)
        throw new BoundExceeded(`${name}: line ${number}: more than ${BOUNDS.fields} fields in one stanza`);
      field = line.slice(0, colon).toLowerCase();
      stanza.delete(field);
      keep(line.slice(colon + 1).trim());
    }
  }
  if (stanza.size > 0) yield stanza;
}

const toItem = (stanza: Stanza, file: string): RepositoryItem => {
  const title = stanza.get('package') ?? '(unnamed)';
  const where = `${file}: package ${title}`;
  const need = (field: string): string => {
    const value = stanza.get(field);
    if (!value) throw new OddEntry(`${where}: ${field} is missing`);
    return value;
  };
  const [field, algorithm] = CHECKSUMS.find(([name]) => stanza.has(name)) ?? [];
  if (!field)
    throw new OddEntry(`${where}: has no checksum, expected one of ${CHECKSUMS.map(([name]) => name).join(', ')}`);
  const checksum = toChecksum(algorithm, need(field), where);
  const size = toSize(stanza.get('size'), where);
  return {
    path: resolvedPath(need('filename'), where),
    unitTypeId: 'deb',
    unitKey: {
      name: need('package'),
      version: need('version'),
      architecture: stanza.get('architecture') ?? '',
      checksumtype: checksum.algorithm,
      checksum: checksum.value,
    },
    checksum,
    ...(size !== undefined && { size }),
  };
};

/**
 * Yields the packages of a `Packages` index as they are parsed. Throws if it lists none, unless it
 * is empty and `mayBeEmpty`.
 */
export async function* readPackagesIndex(
  repository: Pick<Repository, 'leftOut'>,
  name: string,
  bytes: AsyncIterable<Uint8Array>,
  mayBeEmpty: boolean,
): AsyncGenerator<RepositoryItem> {
  const counter = makeCounter();
  let found = 0;
  for await (const stanza of readStanzas(repository, name, counter.through(bytes), WANTED)) {
    const item = unlessOdd(repository, () => toItem(stanza, name));
    if (!item) continue;
    found += 1;
    yield item;
  }
  if (found === 0 && !(mayBeEmpty && counter.size() === 0))
    throw new Error(`${name}: lists no packages that can be served`);
}

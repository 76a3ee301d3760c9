import { BOUNDS, BoundExceeded } from './bounds.ts';
import { toChecksum } from './checksum.ts';
import { makeCounter } from './count.ts';
import type { RepositoryItem } from './format.ts';
import { readLines } from './lines.ts';
import { toRelativePath } from './relative-path.ts';

type Stanza = ReadonlyMap<string, string>;

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
 * The stanzas of a control file: fields up to an empty line. Continuation lines are skipped,
 * because no field that is read here has any.
 */
async function* readStanzas(name: string, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Stanza> {
  let stanza = new Map<string, string>();
  let number = 0;
  let fields = 0;
  for await (const lines of readLines(name, bytes)) {
    for (const line of lines) {
      number += 1;
      if (line.trim() === '') {
        if (stanza.size > 0) yield stanza;
        stanza = new Map();
        fields = 0;
        continue;
      }
      if (line.startsWith(' ') || line.startsWith('\t') || line.startsWith('#')) continue;
      const colon = line.indexOf(':');
      if (colon < 1) throw new Error(`${name}: line ${number}: '${line.slice(0, 80)}', expected FIELD: VALUE`);
      fields += 1;
      if (fields > BOUNDS.fields)
        throw new BoundExceeded(`${name}: line ${number}: more than ${BOUNDS.fields} fields in one stanza`);
      const field = line.slice(0, colon).toLowerCase();
      if (WANTED.has(field)) stanza.set(field, line.slice(colon + 1).trim());
    }
  }
  if (stanza.size > 0) yield stanza;
}

const toItem = (stanza: Stanza, file: string): RepositoryItem => {
  const title = stanza.get('package') ?? '(unnamed)';
  const where = `${file}: package ${title}`;
  const need = (field: string): string => {
    const value = stanza.get(field);
    if (!value) throw new Error(`${where}: ${field} is missing`);
    return value;
  };
  const [field, algorithm] = CHECKSUMS.find(([name]) => stanza.has(name)) ?? [];
  if (!field)
    throw new Error(`${where}: has no checksum, expected one of ${CHECKSUMS.map(([name]) => name).join(', ')}`);
  const checksum = toChecksum(algorithm, need(field), where);
  const size = need('size');
  if (!/^\d+$/.test(size)) throw new Error(`${where}: size '${size}' is not a number of bytes`);
  return {
    path: toRelativePath(need('filename'), where),
    unitTypeId: 'deb',
    unitKey: {
      name: need('package'),
      version: need('version'),
      architecture: need('architecture'),
      checksumtype: checksum.algorithm,
      checksum: checksum.value,
    },
    checksum,
    size: Number(size),
  };
};

/**
 * Yields the packages of a `Packages` index as they are parsed. Throws if it lists none, unless it
 * is empty and `mayBeEmpty`.
 */
export async function* readPackagesIndex(
  name: string,
  bytes: AsyncIterable<Uint8Array>,
  mayBeEmpty: boolean,
): AsyncGenerator<RepositoryItem> {
  const counter = makeCounter();
  let found = 0;
  for await (const stanza of readStanzas(name, counter.through(bytes))) {
    found += 1;
    yield toItem(stanza, name);
  }
  if (found === 0 && !(mayBeEmpty && counter.size() === 0)) throw new Error(`${name}: lists no packages`);
}

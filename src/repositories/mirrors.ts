import { CHECKSUM_ALGORITHMS, type Checksum } from '../../pipelines/model/entry.ts';
import { trimSlashes } from '../lib/trim-slashes.ts';
import { BOUNDS, BoundExceeded } from './bounds.ts';
import { digitsOf, toChecksum } from './checksum.ts';
import { type Format, type RepositoryItem, VERSION } from './format.ts';
import { readText } from './read.ts';
import { toSize } from './size.ts';
import { parseXml } from './xml.ts';

/** The most mirrors of a list, and the largest list. Fedora's has 150 of 30 KiB. */
const MOST = 500;

/** The file of a repository that lists of mirrors name. */
const REPOMD = /\/repodata\/repomd\.xml$/;

/** Over HTTP, and without credentials or a query. */
const USABLE = /^https?:\/\/[^/@?#]+\/[^?#]*$/i;

/** The priority of a mirror without one. */
const LAST = 1_000_000;

/** The file that a metalink states the checksums of. */
const DESCRIBED = 'repomd.xml';

/** A version of that file. Mirrors that are not up to date have an earlier one. */
interface Version {
  size?: number;
  /** The strongest of those that it states. */
  checksum?: Checksum;
}

interface Mirror {
  readonly url: string;
  /** The highest is best. */
  readonly preference: number;
}

async function* toBytes(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

/**
 * `<url preference="100">` of Metalink 3, or `<url priority="1">` of RFC 5854, whose lowest is best.
 * `<hash>` is about the present version, or in an `<alternate>` about an earlier one.
 */
const readMetalink = (name: string, text: string): AsyncGenerator<Mirror | Version> =>
  parseXml<Mirror | Version>(name, toBytes(text), (emit) => {
    let content = '';
    let attributes: Readonly<Record<string, string>> = {};
    let version: Version | undefined;
    let present: Version | undefined;
    return {
      opened: (tag, _depth, its) => {
        content = '';
        attributes = its;
        if (tag === 'file') {
          present = its.name === DESCRIBED ? {} : undefined;
          version = present;
        }
        if (tag === 'alternate') version = present && {};
      },
      text: (more) => {
        content += more;
      },
      closed: (tag) => {
        const { preference, priority, type = '' } = attributes;
        if (tag === 'url') emit({ url: content.trim(), preference: Number(preference ?? -Number(priority ?? LAST)) });
        if (version && tag === 'size') version.size = toSize(content.trim(), name);
        if (version && tag === 'hash')
          version.checksum = stronger(version.checksum, type, content.trim(), `${name}: hash`);
        if (tag !== 'file' && tag !== 'alternate') return;
        if (version?.checksum) emit(version);
        version = tag === 'alternate' ? present : undefined;
      },
    };
  });

/** Metalink 4 writes `sha-256`. Algorithms that are unknown do not count. */
const stronger = (known: Checksum | undefined, type: string, digits: string, where: string): Checksum | undefined => {
  const name = type.toLowerCase().replace('-', '');
  const algorithm = CHECKSUM_ALGORITHMS.find((one) => one === name);
  if (!algorithm || (known && digitsOf(known.algorithm) >= digitsOf(algorithm))) return known;
  return toChecksum(algorithm, digits, where);
};

/** A URL a line; `#` begins a comment. */
function* readLines(text: string): Generator<Mirror> {
  for (const line of text.split(/\r?\n/)) {
    const url = line.trim();
    if (url !== '' && !url.startsWith('#')) yield { url, preference: 0 };
  }
}

/**
 * Reads a list of mirrors, in a metalink or with a URL a line. Yields the base URL of each mirror
 * over HTTP as a path, best first; then the versions of `repomd.xml` that a metalink states, the
 * present one first.
 */
export const mirrors: Format = async function* (repository): AsyncGenerator<RepositoryItem> {
  const { base } = repository;
  const { text } = await readText(base, repository.read(''));
  const found: Mirror[] = [];
  const versions: Version[] = [];
  const keep = (one: Mirror | Version) => {
    if ('url' in one) found.push(one);
    else versions.push(one);
    if (found.length + versions.length > MOST)
      throw new BoundExceeded(`${base}: more than ${MOST} mirrors and versions`);
  };
  if (/<(\w+:)?metalink\b/.test(text.slice(0, 4096))) {
    for await (const one of readMetalink(base, text)) keep(one);
  } else for (const one of readLines(text)) keep(one);
  const known = new Set<string>();
  for (const { url } of found.toSorted((a, b) => b.preference - a.preference)) {
    const path = `${trimSlashes(url.replace(REPOMD, ''))}/`;
    if (path.length > BOUNDS.path || !USABLE.test(path) || known.has(path)) continue;
    known.add(path);
    yield { path, unitTypeId: 'mirror', unitKey: { url: path } };
  }
  const present = versions.pop();
  for (const version of present ? [present, ...versions] : [])
    yield { path: '', unitTypeId: VERSION, unitKey: {}, ...version };
};

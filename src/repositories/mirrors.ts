import { BoundExceeded } from './bounds.ts';
import type { FoundUnit, Reader } from './format.ts';
import { readText } from './read.ts';
import { parseXml } from './xml.ts';

/** The most mirrors of a list, and the largest list. Fedora's has 150 of 30 KiB. */
const MOST = 500;

/** The file of a repository that lists of mirrors name. */
const REPOMD = /\/repodata\/repomd\.xml$/;

/** Over HTTP, and without credentials or a query. */
const USABLE = /^https?:\/\/[^/@?#]+\/[^?#]*$/i;

interface Mirror {
  readonly url: string;
  /** The highest is best. */
  readonly preference: number;
}

async function* toBytes(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

/** `<url preference="100">` of Metalink 3, or `<url priority="1">` of RFC 5854, whose lowest is best. */
const readMetalink = (name: string, text: string): AsyncGenerator<Mirror> =>
  parseXml<Mirror>(name, toBytes(text), (emit) => {
    let preference: number | undefined;
    let url = '';
    return {
      opened: (tag, _depth, attributes) => {
        if (tag !== 'url') return;
        url = '';
        preference = Number(attributes.preference ?? -(attributes.priority ?? 1_000_000));
      },
      text: (content) => {
        if (preference !== undefined) url += content;
      },
      closed: (tag) => {
        if (tag === 'url' && preference !== undefined) emit({ url: url.trim(), preference });
        if (tag === 'url') preference = undefined;
      },
    };
  });

/** A URL a line; `#` begins a comment. */
const readLines = (text: string): Mirror[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((url) => ({ url, preference: 0 }));

/**
 * Reads a list of mirrors, in a metalink or with a URL a line. Yields the base URL of each mirror
 * over HTTP as a path, best first.
 */
export const mirrors: Reader = async function* (repository) {
  const { base } = repository;
  const { text } = await readText(base, repository.read(''));
  const found: Mirror[] = [];
  if (/<(\w+:)?metalink\b/.test(text.slice(0, 4096))) for await (const one of readMetalink(base, text)) found.push(one);
  else found.push(...readLines(text));
  if (found.length > MOST) throw new BoundExceeded(`${base}: more than ${MOST} mirrors`);
  const known = new Set<string>();
  for (const { url } of found.toSorted((a, b) => b.preference - a.preference)) {
    const path = `${url.replace(REPOMD, '').replace(/\/+$/, '')}/`;
    if (!USABLE.test(path) || known.has(path)) continue;
    known.add(path);
    yield { path, unitTypeId: 'mirror', unitKey: { url: path } } satisfies FoundUnit;
  }
};

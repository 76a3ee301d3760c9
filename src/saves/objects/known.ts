import type { BlockSums, CatalogEntry, Checksum, Header } from '../../../pipelines/model/index.ts';
import { keyOf } from '../copies/names.ts';
import { descriptionIn, sidecarText } from '../copies/sidecar.ts';
import type { Bucket } from './bucket.ts';
import { descriptionName, parseName } from './names.ts';

/** A copy in the store, as its description says. Each read compares its blocks. */
export interface KnownCopy {
  readonly key: string;
  /** The name of its content. */
  readonly name: string;
  readonly checksum: Checksum;
  readonly headers: readonly Header[];
  readonly blocks: BlockSums;
  /** The state of the content that the sums belong to. */
  readonly etag: string;
  /** When its description was last written: milliseconds since 1970. */
  readonly usedAt: number;
}

/** The descriptions of copies that this process has read or written. */
export interface KnownCopies {
  /** By the key of the copy. */
  get(key: string): KnownCopy | undefined;
  set(copy: KnownCopy): void;
  forget(key: string): void;
  /** Whether the store was found to have none, a moment ago. */
  isAbsent(key: string): boolean;
  /** Reads the description of an entry's copy. Rejects with a StreamError if the store fails. */
  look(entry: CatalogEntry): Promise<KnownCopy | undefined>;
}

/** The limits of what is remembered: see `Checks` of the folder. */
const KNOWN = 100_000;
const KNOWN_BLOCKS = 4 * 1024 * 1024;
/** Milliseconds for which an absent copy is not looked for again. Another streamer may store it. */
const ABSENT_FOR = 10_000;
/** Milliseconds for a description, since a client may wait for it: then other sources serve. */
const CLIENT_WAITS = 3_000;
/** Bytes of a description: enough for the sums of the longest content. */
export const LONGEST_DESCRIPTION = 16 * 1024 * 1024;

export const makeKnown = (bucket: Pick<Bucket, 'read'>, now: () => number): KnownCopies => {
  const known = new Map<string, KnownCopy>();
  const absent = new Map<string, number>();
  let blocks = 0;

  const forget = (key: string) => {
    blocks -= known.get(key)?.blocks.crc32.length ?? 0;
    known.delete(key);
  };
  const set = (copy: KnownCopy) => {
    forget(copy.key);
    absent.delete(copy.key);
    known.set(copy.key, copy);
    blocks += copy.blocks.crc32.length;
    for (const oldest of known.keys()) {
      if (known.size <= KNOWN && blocks <= KNOWN_BLOCKS) break;
      forget(oldest);
    }
  };
  const miss = (key: string) => {
    absent.delete(key);
    absent.set(key, now() + ABSENT_FOR);
    const [oldest] = absent.keys();
    if (absent.size > KNOWN && oldest !== undefined) absent.delete(oldest);
  };

  return {
    get: (key) => known.get(key),
    set,
    forget,
    isAbsent: (key) => now() < (absent.get(key) ?? 0),
    look: async (entry) => {
      const key = keyOf(entry);
      const found = await bucket.read(descriptionName(key), LONGEST_DESCRIPTION, CLIENT_WAITS);
      const copy = found && describedCopy(found.bytes.toString(), found.modified, key, entry.checksum);
      if (copy) set(copy);
      else miss(key);
      return copy;
    },
  };
};

/** The copy that a text describes; `undefined` if it is damaged or about other content than `wanted`. */
export const describedCopy = (text: string, usedAt: number, key: string, wanted?: Checksum): KnownCopy | undefined => {
  const { checksum, headers = [], blocks, object } = descriptionIn(text) ?? {};
  if (!checksum || !blocks || !object) return undefined;
  if (wanted && (wanted.algorithm !== checksum.algorithm || wanted.value !== checksum.value)) return undefined;
  const { name, etag } = object;
  const parsed = parseName(name);
  if (parsed?.key !== key || parsed.isDescription) return undefined;
  return { key, name, checksum, headers, blocks, etag, usedAt };
};

/** The text of a copy's description. */
export const descriptionOf = ({ name, checksum, headers, blocks, etag }: Omit<KnownCopy, 'usedAt'>): Buffer =>
  Buffer.from(sidecarText(checksum, { headers, blocks, modified: 0n, object: { name, etag } }));

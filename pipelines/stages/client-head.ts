import {
  type Candidate,
  type CatalogEntry,
  type Checksum,
  type ChecksumAlgorithm,
  etagOf,
  field,
  type Head,
  type Header,
  isOwnCoding,
  membersOf,
  type Part,
  type Policy,
  trimBlanks,
  type Validators,
} from '../model/index.ts';
import type { JudgedHead } from './attempts/verify-before-head.ts';
import { createRecent } from './health/recent.ts';
import { decide, valueMayPass } from './passing-fields.ts';

/**
 * The client's head: the source's fields, except those that are not for clients, and our own
 * Cache-Control.
 */
export const clientHead = (
  head: JudgedHead,
  candidate: Candidate,
  policy: Pick<Policy, 'cacheTimeout'>,
  part?: Part,
): Head => {
  const { checksum, size, replaced, path } = candidate.entry;
  const named = namedByConnection(head.headers);
  const passes = ([name, value]: Header) => {
    const { key, mayPass } = decide(name);
    if (!mayPass || named.includes(key) || !valueMayPass(key, value)) return false;
    // The replaced content may have had the same date, and many caches decide by dates. Only the
    // entity tag distinguishes the two.
    if (replaced && key === 'last-modified') return false;
    if (key === 'content-encoding' && isOwnCoding(path, value)) return false;
    // The checksum is of the raw bytes, which are the file: a content coding would make clients
    // alter it. One entity tag serves all sources.
    return !(checksum && OURS_WITH_CHECKSUM.has(key));
  };
  const total = head.length ?? size;
  const headers = head.headers.filter(passes);
  if (checksum) headers.push(['ETag', etagOf(checksum)], ...digestFields(checksum));
  headers.push(ACCEPT_RANGES);
  if (part) headers.push(contentRange(part, total));
  // A cache cannot detect that a body without a length broke off. It must not keep outdated content
  // in place of the newest.
  headers.push(
    total === undefined || candidate.outdated ? NO_STORE : cacheControl(lifetimeOf(candidate.entry, policy)),
  );
  return {
    type: 'head',
    status: part ? 206 : 200,
    length: part ? part.last - part.first + 1 : total,
    whole: part === undefined || (part.first === 0 && part.last + 1 === total),
    ...(part ?? { first: 0 }),
    total,
    etag: head.etag,
    state: head.state,
    candidate,
    sourceStatus: head.status,
    acceptRanges: trimBlanks(field(head.headers, 'accept-ranges') ?? '').toLowerCase(),
    verified: head.verified,
    checked: head.checked,
    headers,
  };
};

/** The head of a part that is cut from the whole with this head. */
export const partHead = (head: Head, part: Part): Head => ({
  ...head,
  status: 206,
  length: part.last - part.first + 1,
  whole: part.first === 0 && part.last + 1 === head.total,
  ...part,
  headers: [...head.headers, contentRange(part, head.total)],
});

const contentRange = ({ first, last }: Part, total: number | undefined): Header => [
  'Content-Range',
  `bytes ${first}-${last}/${total}`,
];

/**
 * The fields that a `304` repeats from the head of a `200` (RFC 9110 section 15.4.5). A `412` does
 * not describe the content. Neither has a body.
 */
export const unchangedHead = (
  status: 304 | 412,
  candidate: Candidate,
  { etag, lastModified }: Validators,
  policy: Pick<Policy, 'cacheTimeout'>,
): Head => ({
  type: 'head',
  status,
  length: status === 412 ? 0 : undefined,
  whole: false,
  first: 0,
  candidate,
  verified: false,
  headers:
    status === 412
      ? [NO_STORE]
      : [
          ...(etag === undefined ? [] : [['ETag', etag] as const]),
          ...(lastModified === undefined ? [] : [['Last-Modified', lastModified] as const]),
          cacheControl(lifetimeOf(candidate.entry, policy)),
        ],
});

const ACCEPT_RANGES: Header = ['Accept-Ranges', 'bytes'];

export const NO_STORE: Header = ['Cache-Control', 'no-store'];

/** Milliseconds that caches may keep the content of an entry. */
const lifetimeOf = ({ maxAge }: CatalogEntry, { cacheTimeout }: Pick<Policy, 'cacheTimeout'>): number =>
  maxAge === undefined ? cacheTimeout : Math.min(maxAge, cacheTimeout);

/** HTTP counts whole seconds. */
export const cacheControl = (milliseconds: number): Header => {
  const known = lifetimes.get(milliseconds);
  if (known) return known;
  const seconds = Math.floor(milliseconds / 1000);
  const header: Header = ['Cache-Control', `public, s-maxage=${seconds}, max-age=${seconds}`];
  lifetimes.set(milliseconds, header);
  return header;
};

/** Made once: a catalog and its settings have few lifetimes. */
const lifetimes = createRecent<number, Header>(16);

/** Fields of the source that are dropped if the catalog has a checksum. */
const OURS_WITH_CHECKSUM: ReadonlySet<string> = new Set(['content-encoding', 'etag', 'digest', 'repr-digest']);

/**
 * Algorithms for digest fields (RFC 9530 section 5), in the spelling of the older field (RFC 3230).
 */
const DIGESTS: Partial<Record<ChecksumAlgorithm, string>> = { sha256: 'sha-256', sha512: 'sha-512' };

const digestFields = ({ algorithm, value }: Checksum): readonly Header[] => {
  const name = DIGESTS[algorithm];
  if (name === undefined) return [];
  const bytes = new Array<number>(value.length / 2);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = 16 * digitAt(value, 2 * at) + digitAt(value, 2 * at + 1);
  const digest = btoa(String.fromCharCode(...bytes));
  return [
    ['Repr-Digest', `${name}=:${digest}:`],
    ['Digest', `${name}=${digest}`],
  ];
};

/** The value of a lower-case hexadecimal digit. */
const digitAt = (text: string, at: number): number => {
  const code = text.charCodeAt(at);
  return code < A ? code - ZERO : code - A + 10;
};
const ZERO = '0'.charCodeAt(0);
const A = 'a'.charCodeAt(0);

/** `keep-alive` alone names a field that is dropped anyway. */
const namedByConnection = (headers: readonly Header[]): readonly string[] =>
  (field(headers, 'connection') ?? KEEP_ALIVE) === KEEP_ALIVE
    ? []
    : headers
        .filter(([name]) => name.toLowerCase() === 'connection')
        .flatMap(([, value]) => membersOf(value.toLowerCase()));

const KEEP_ALIVE = 'keep-alive';

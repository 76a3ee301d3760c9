import { beforeAll, describe, expect, it } from '@jest/globals';
import { filter } from 'rxjs';
import { type Certificates, createCertificates } from '../support/certificates.ts';
import { processes } from '../support/processes.ts';
import type { LogLine } from '../support/site.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { ask, cutTooLate, type Outcome } from './client.ts';
import { BREAKS, type Fault, PIECE, placeOf, WHERE } from './fault.ts';
import type { FaultyFeed, Framing, Resource } from './feed.ts';
import { seaOfBytes, seeded } from './random.ts';
import { checksumOf, type Feeds, type Listing, openScene, startFeeds } from './scene.ts';

/** Below and above the size up to which content is verified before its head. */
const SMALL = 40_000;
const LARGE = 300_000;
/** More than the bytes held of content of unknown length. */
const HUGE = 2_000_000;

const sea = seaOfBytes(HUGE + 1000, 7);
const bytesOf = (size: number) => sea.subarray(size === LARGE ? 0 : 777, size === LARGE ? LARGE : 777 + size);
const right = (size: number) => ({ kind: 'clean', sha256: checksumOf(bytesOf(size)).value, bytes: size }) as const;

/** The behaviour of a source: always good, faulty a few times and then good, or always faulty. */
interface Source {
  readonly at?: 'plain' | 'secure' | 'expired' | 'stranger' | 'nobody';
  readonly framing?: Framing;
  readonly faults?: readonly Fault[];
  readonly forever?: Fault;
  readonly bytes?: Uint8Array;
}

interface Case {
  readonly name: string;
  readonly size: number;
  readonly sources: readonly Source[];
  readonly expected: Partial<Outcome>;
  /** Without checksum, or without size. Default: both are in the catalog. */
  readonly without?: readonly ('checksum' | 'size')[];
  /** The result of a second request. */
  readonly again?: Partial<Outcome>;
  /** The daemon's log line of the first request. */
  readonly log?: object;
}

const GOOD: Source = {};
const reset = (at: number): Fault => ({ kind: 'reset', place: { where: 'middle', at } });
const random = seeded(3);
const FRAMINGS: readonly Framing[] = ['length', 'chunked', 'close'];

const title = (size: number) => (size === LARGE ? 'large' : 'small');

/**
 * Every break at every place, in every framing: the next source continues, or the same one does.
 */
const broken: readonly Case[] = BREAKS.flatMap((kind) =>
  WHERE.flatMap((where) =>
    FRAMINGS.flatMap((framing) =>
      [SMALL, LARGE].flatMap((size): Case[] => {
        const fault: Fault = { kind, place: placeOf(where, size, random) };
        const at = kind === 'truncated TLS' ? 'secure' : random.pick(['plain', 'secure'] as const);
        const name = `${kind}, ${where}, ${framing}, ${title(size)}`;
        const expected = right(size);
        return [
          {
            name: `${name}: another source continues`,
            size,
            sources: [{ at, framing, forever: fault }, GOOD],
            expected,
          },
          { name: `${name}: the same source continues`, size, sources: [{ at, framing, faults: [fault] }], expected },
        ];
      }),
    ),
  ),
);

const CUT = { kind: 'cut' } as const;
const refused = (status: number) => ({ kind: 'refused', status, noStore: true }) as const;
const half = LARGE / 2;
const MIDDLE = { where: 'middle', at: half } as const;

const SAYS_SO: readonly (readonly [Fault, status: number])[] = [
  [{ kind: 'redirect loop' }, 502],
  [{ kind: 'endless head' }, 502],
  [{ kind: 'not HTTP' }, 502],
  [{ kind: 'status', status: 404 }, 404],
  [{ kind: 'status', status: 403 }, 502],
  [{ kind: 'status', status: 500 }, 502],
  [{ kind: 'status', status: 206 }, 502],
  [{ kind: 'status', status: 503, retryAfter: '3600' }, 503],
  [{ kind: 'status', status: 429, retryAfter: 'Wed, 21 Oct 2065 07:28:00 GMT' }, 503],
  [{ kind: 'wrong length', by: 1000 }, 502],
  [{ kind: 'wrong length', by: -1000 }, 502],
];

const before: readonly Case[] = [
  ...SAYS_SO.flatMap(([fault, status]): Case[] => {
    const name = `${fault.kind} ${'status' in fault ? fault.status : ''}${'by' in fault ? fault.by : ''}`;
    return [
      {
        name: `${name}: another source is used`,
        size: LARGE,
        sources: [{ forever: fault }, GOOD],
        expected: right(LARGE),
      },
      {
        name: `${name}, and no other source: refused`,
        size: LARGE,
        sources: [{ forever: fault }],
        expected: refused(status),
      },
    ];
  }),
  ...(['expired', 'stranger', 'nobody'] as const).flatMap((at): Case[] => [
    { name: `${at}: another source is used`, size: LARGE, sources: [{ at }, GOOD], expected: right(LARGE) },
    { name: `${at}, and no other source: refused`, size: LARGE, sources: [{ at }], expected: refused(502) },
  ]),
  {
    name: 'gzip unasked is decoded',
    size: LARGE,
    sources: [{ forever: { kind: 'gzip unasked' } }],
    expected: right(LARGE),
  },
  {
    name: 'Retry-After of a moment is waited for',
    size: LARGE,
    sources: [{ faults: [{ kind: 'status', status: 503, retryAfter: '0' }] }],
    expected: right(LARGE),
  },
];

/** How the daemon names a source of wrong bytes: by host, and by URL. */
const NAMED = {
  outcome: 'failed',
  code: 'WRONG_CHECKSUM',
  attempts: [
    {
      source: expect.stringMatching(/^feed:127\.0\.0\.1:\d+$/),
      url: expect.stringMatching(/^http:.*\/0\/content\/\d+\.rpm$/),
      failure: { code: 'WRONG_CHECKSUM', phase: 'mid-body' },
    },
  ],
};

const named: readonly Case[] = [
  {
    name: 'hold-back: the end of wrong content never leaves',
    size: LARGE,
    sources: [{ faults: [{ kind: 'wrong bytes', place: { where: 'first byte', at: 0 } }] }, GOOD],
    expected: CUT,
    again: right(LARGE),
    log: NAMED,
  },
  {
    name: 'hold-back: a wrong last byte never leaves, in any framing',
    size: LARGE,
    without: ['size'],
    sources: [
      { framing: 'chunked', faults: [{ kind: 'wrong bytes', place: { where: 'last byte', at: LARGE - 1 } }] },
      GOOD,
    ],
    expected: CUT,
    again: right(LARGE),
  },
  {
    name: 'hold-back: the last bytes wait, even if all arrive long before the end',
    size: LARGE,
    sources: [
      {
        framing: 'chunked',
        faults: [{ kind: 'wrong bytes', place: { where: 'first byte', at: 0 }, late: true }],
      },
      GOOD,
    ],
    expected: CUT,
    again: right(LARGE),
  },
  {
    name: 'without a checksum and an entity tag the rest of a possibly different file is not joined',
    size: LARGE,
    without: ['checksum'],
    sources: [{ faults: [reset(half)], forever: { kind: 'another file' } }],
    expected: CUT,
  },
  {
    name: 'verify whole: small wrong content costs the client nothing',
    size: SMALL,
    sources: [{ forever: { kind: 'wrong bytes', place: { where: 'middle', at: 5 } } }, GOOD],
    expected: right(SMALL),
  },
  {
    name: 'verify whole: small wrong content with no other source is refused',
    size: SMALL,
    sources: [{ forever: { kind: 'wrong bytes', place: { where: 'middle', at: 5 } } }],
    expected: refused(502),
  },
  {
    name: 'fail-over: the second source continues where the first one died, it is not appended',
    size: LARGE,
    without: ['size'],
    sources: [
      { framing: 'chunked', faults: [reset(half)], forever: { kind: 'status', status: 404 } },
      { framing: 'chunked' },
    ],
    expected: right(LARGE),
  },
  {
    name: 'Content-Range: a part that begins elsewhere is not joined',
    size: LARGE,
    sources: [{ faults: [reset(half)], forever: { kind: 'wrong Content-Range' } }, GOOD],
    expected: right(LARGE),
  },
  {
    name: 'Content-Range: a part that begins elsewhere, and no other source, ends in a reset',
    size: LARGE,
    without: ['checksum'],
    sources: [{ faults: [reset(half)], forever: { kind: 'wrong Content-Range' } }],
    expected: CUT,
  },
  {
    name: 'a part of a file of another length is not joined',
    size: LARGE,
    sources: [{ faults: [reset(half)], forever: { kind: 'wrong total' } }, GOOD],
    expected: right(LARGE),
  },
  {
    name: 'a whole file in answer to a range is joined at the right byte',
    size: LARGE,
    sources: [{ faults: [reset(half)], forever: { kind: '200 to a range' } }],
    expected: right(LARGE),
  },
  {
    name: 'changed entity tag: the rest of another file is not joined',
    size: LARGE,
    without: ['checksum'],
    sources: [{ faults: [reset(half), { kind: 'changed entity tag' }], forever: { kind: 'changed entity tag' } }],
    expected: CUT,
  },
  {
    name: 'changed entity tag: with a checksum another source continues',
    size: LARGE,
    sources: [{ faults: [reset(half)], forever: { kind: 'changed entity tag' } }, GOOD],
    expected: right(LARGE),
  },
  {
    name: 'without a checksum the same source continues by its strong entity tag',
    size: LARGE,
    without: ['checksum'],
    sources: [{ faults: [reset(half)] }],
    expected: right(LARGE),
  },
  {
    name: 'without a checksum another source never continues',
    size: LARGE,
    without: ['checksum'],
    sources: [
      { faults: [reset(half)], forever: { kind: 'status', status: 404 } },
      { bytes: sea.subarray(1, LARGE + 1) },
    ],
    expected: CUT,
  },
  {
    name: 'bytes of the beginning with the range of the middle are detected',
    size: LARGE,
    sources: [{ faults: [reset(half), { kind: 'lying part' }] }, GOOD],
    expected: CUT,
    again: right(LARGE),
  },
  {
    name: 'surplus bytes are cut off if the checksum proves the rest',
    size: LARGE,
    sources: [{ framing: 'chunked', forever: { kind: 'extra bytes', count: 9 } }],
    expected: right(LARGE),
  },
  {
    name: 'surplus bytes without a checksum end in a reset',
    size: LARGE,
    without: ['checksum'],
    sources: [{ framing: 'chunked', forever: { kind: 'extra bytes', count: 9 } }],
    expected: CUT,
  },
  {
    name: 'wears out: a dying source does not use up the turns of a good one',
    size: LARGE,
    sources: [{ forever: { kind: 'wears out', after: 9 } }, { forever: { kind: 'wears out', after: 9 } }, GOOD],
    expected: right(LARGE),
  },
  {
    name: 'all bytes arrived without an end mark: the body is complete',
    size: LARGE,
    without: ['size'],
    sources: [{ framing: 'chunked', faults: [{ kind: 'early end', place: { where: 'last byte', at: LARGE } }] }],
    expected: right(LARGE),
  },
  {
    name: 'a reset is not the end of a body that ends with its connection',
    size: LARGE,
    without: ['size', 'checksum'],
    sources: [{ framing: 'close', faults: [reset(half)], forever: { kind: 'status', status: 404 } }],
    expected: CUT,
  },
  {
    name: 'truncated TLS is not the end of a body that is too large to be held either',
    size: HUGE,
    without: ['size'],
    sources: [
      {
        at: 'secure',
        framing: 'close',
        faults: [{ kind: 'truncated TLS', place: { where: 'middle', at: 1_500_000 } }],
      },
    ],
    expected: right(HUGE),
  },
  {
    name: 'an early end of content that is too large to be held never ends cleanly',
    size: HUGE,
    without: ['size'],
    sources: [{ framing: 'close', faults: [{ kind: 'early end', place: { where: 'middle', at: 1_500_000 } }] }],
    expected: CUT,
    again: right(HUGE),
  },
  {
    name: 'a body that ends with its connection is complete only with the length in the catalog',
    size: LARGE,
    without: ['checksum'],
    sources: [
      { framing: 'close', faults: [{ kind: 'early end', place: MIDDLE }], forever: { kind: 'status', status: 404 } },
    ],
    expected: CUT,
  },
  {
    name: 'truncated TLS is not the end of a body that ends with its connection',
    size: LARGE,
    without: ['size'],
    sources: [
      {
        at: 'secure',
        framing: 'close',
        faults: [{ kind: 'truncated TLS', place: { where: 'chunk border', at: 4 * PIECE } }],
      },
      GOOD,
    ],
    expected: right(LARGE),
  },
  {
    name: 'an early end of small content of unknown length is detected before the head',
    size: SMALL,
    without: ['size'],
    sources: [{ framing: 'close', faults: [{ kind: 'early end', place: { where: 'middle', at: 100 } }] }, GOOD],
    expected: right(SMALL),
  },
];

const start = processes();
const folder = temporaryFolders();

/** Plays all cases at once, on one daemon; the tests check the result of each. */
const playAll = (title: string, cases: readonly Case[]): void => {
  describe(title, () => {
    const outcomes = new Map<string, readonly Outcome[]>();
    /** The daemon's log lines of each case. */
    const accounts = new Map<string, readonly LogLine[]>();
    let left = -1;

    beforeAll(async () => {
      const { feeds, ca } = await startFeeds({ note: () => {} }, await createCertificates());
      const listings = cases.map((one, index) => listingOf(one, index, feeds));
      const { daemon } = await openScene(start, folder(), { listings, ca });
      daemon.log.pipe(filter(({ msg }) => msg === 'request')).subscribe((line) => {
        const name = cases[listings.findIndex(({ path }) => path === line.path)]?.name ?? '';
        accounts.set(name, [...(accounts.get(name) ?? []), line]);
      });
      const queue = cases.entries();
      const hand = async () => {
        for (const [index, { name, again }] of queue) {
          const url = daemon.url + listings[index]!.path;
          outcomes.set(name, again ? [await ask(url), await ask(url)] : [await ask(url)]);
        }
      };
      await Promise.all(Array.from({ length: 48 }, hand));
      expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });
      left = feeds.open();
      await feeds.close();
    });

    it.each(cases.map(({ name, expected, again, log }) => ({ name, expected, again, log })))(
      '$name',
      ({ name, expected, again, log = {} }) => {
        const all = outcomes.get(name) ?? [];
        telling({ all, log: accounts.get(name) }, () => {
          expect(all).toMatchObject(again ? [expected, again] : [expected]);
          expect(all.filter(cutTooLate)).toEqual([]);
          expect(accounts.get(name)?.[0]).toMatchObject(log);
        });
      },
    );

    it('leaves no connection', () => expect(left).toBe(0));
  });
};

/** Adds further information to a failure. */
const telling = (known: unknown, check: () => void): void => {
  try {
    check();
  } catch (failure) {
    throw new Error(`${(failure as Error).message}\n${JSON.stringify(known, undefined, 1)}`, { cause: failure });
  }
};

const listingOf = ({ size, sources, without = [] }: Case, index: number, feeds: Feeds): Listing => {
  const bytes = bytesOf(size);
  const path = `/content/${index}.rpm`;
  const urls = sources.map((source, place) => {
    const { at = 'plain', framing = 'length', faults = [], forever } = source;
    const resource: Resource = { bytes: source.bytes ?? bytes, framing, faults, forever };
    const home: { url: string; resources?: FaultyFeed['resources'] } = feeds[at];
    home.resources?.set(`/${place}${path}`, resource);
    return `${home.url}/${place}${path}`;
  });
  return {
    path,
    urls,
    checksum: without.includes('checksum') ? undefined : checksumOf(bytes),
    size: without.includes('size') ? undefined : size,
  };
};

playAll('a feed that breaks off', broken);
playAll('a feed that refuses, or sends nothing usable', before);
playAll('a feed that sends wrong content', named);

describe('a feed whose certificate is swapped', () => {
  const swapped = async (
    sources: (feeds: Feeds) => readonly string[],
    prepare: (feeds: Feeds, c: Certificates) => void,
  ) => {
    const certificates = await createCertificates();
    const { feeds, ca } = await startFeeds({ note: () => prepare(feeds, certificates) }, certificates);
    const bytes = bytesOf(LARGE);
    feeds.secure.resources.set('/a', { bytes, framing: 'length', faults: [reset(half)] });
    feeds.plain.resources.set('/b', { bytes, framing: 'length', faults: [] });
    const listings = [{ path: '/x', urls: sources(feeds), checksum: checksumOf(bytes), size: LARGE }];
    const { daemon } = await openScene(start, folder(), { listings, ca });
    const outcome = await ask(`${daemon.url}/x`);
    await daemon.stop();
    await feeds.close();
    return outcome;
  };
  const swap = ({ secure }: Feeds, { selfSigned }: Certificates) => secure.present(selfSigned);

  it('is not resumed: another source is', async () => {
    const outcome = await swapped(({ secure, plain }) => [`${secure.url}/a`, `${plain.url}/b`], swap);
    expect(outcome).toMatchObject(right(LARGE));
  });

  it('ends in a reset without another source', async () => {
    expect(await swapped(({ secure }) => [`${secure.url}/a`], swap)).toMatchObject(CUT);
  });

  it('is resumed if the certificate stays', async () => {
    expect(
      await swapped(
        ({ secure }) => [`${secure.url}/a`],
        () => {},
      ),
    ).toMatchObject(right(LARGE));
  });
});

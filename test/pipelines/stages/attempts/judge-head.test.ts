import { describe, expect, it } from '@jest/globals';
import { map, materialize, of } from 'rxjs';
import {
  attempts,
  type CatalogEntry,
  createHealth,
  type ErrorCode,
  type Policy,
  type SourceHead,
  StreamError,
} from '../../../../pipelines/index.ts';
import { under } from '../../../../pipelines/operators/flow.ts';
import { OPEN } from '../../../../pipelines/operators/valve.ts';
import {
  aCandidate,
  anEntry,
  aPolicy,
  aRequest,
  entryOf,
  newDigest,
  sha256,
  sourceHead,
  unpaused,
} from '../../../support/pipeline.ts';

interface Case {
  readonly entry: CatalogEntry;
  readonly head: Partial<SourceHead>;
  readonly policy?: Partial<Policy>;
  readonly known?: boolean;
  readonly code: ErrorCode;
  /** What is wrong, after the URL. */
  readonly what: string;
}

const CASES: Readonly<Record<string, Case>> = {
  'a length other than the catalog’s': {
    entry: anEntry({ size: 3 }),
    head: { length: 4 },
    code: 'WRONG_LENGTH',
    what: 'has 4 bytes, but the catalog lists 3',
  },
  'a length above the limit': {
    entry: anEntry(),
    head: { length: 4 },
    policy: { sizeLimit: 3 },
    code: 'TOO_LARGE',
    what: 'has 4 bytes, the limit is 3',
  },
  'a status of altered content without a checksum': {
    entry: anEntry(),
    head: { status: 203 },
    code: 'SOURCE_STATUS',
    what: 'answered 203, and the catalog has no checksum to judge its content',
  },
  'a size in the catalog above the limit': {
    entry: anEntry({ size: 4 }),
    head: {},
    policy: { sizeLimit: 3 },
    code: 'TOO_LARGE',
    what: 'has 4 bytes, the limit is 3',
  },
  'content known to be wrong': {
    entry: entryOf('abc'),
    head: { length: 3 },
    known: true,
    code: 'KNOWN_WRONG',
    what: 'has the same content that was found wrong before, so it is not transferred again',
  },
  'an empty body that does not have the checksum': {
    entry: entryOf('abc'),
    head: { length: 0 },
    code: 'WRONG_CHECKSUM',
    what: `has sha256 ${sha256('')}, but the catalog lists ${sha256('abc')}`,
  },
};

/** The error that a source with this head leads to; `passed` if its head passes. */
const outcome = (
  method: 'GET' | 'HEAD',
  { entry, head, policy, known = false }: Omit<Case, 'code' | 'what'>,
): unknown => {
  const candidate = aCandidate('feed', entry);
  const deps = {
    newDigest,
    random: () => 1,
    policy: aPolicy({ attempts: 1, ...policy }),
    health: {
      ...createHealth({ cooldown: 0, cooldownLimit: 0, random: () => 1 }),
      wasCoded: () => known,
      isKnownWrong: () => known,
    },
    open: unpaused(() => of(sourceHead(head))),
  };
  let seen: unknown;
  of([candidate])
    .pipe(
      under(OPEN, attempts(aRequest({ method }), deps)),
      materialize(),
      map(({ value, error }) => {
        if (value?.type === 'head') seen = 'passed';
        else if (error instanceof StreamError) seen = error;
      }),
    )
    .subscribe();
  return seen;
};

describe.each(['GET', 'HEAD'] as const)('the answer to %s', (method) => {
  it.each(Object.entries(CASES))('is refused for %s', (_, { code, what, ...one }) =>
    expect(outcome(method, one)).toMatchObject({
      code,
      message: `http://feed/bear.rpm ${what}`,
      sourceStatus: one.head.status,
    }),
  );

  it('passes if it is empty, as the entry is', () =>
    expect(outcome(method, { entry: entryOf('', { size: 0 }), head: { length: 0 } })).toBe('passed'));
});

it('an answer to HEAD passes without a length', () =>
  expect(outcome('HEAD', { entry: entryOf('abc', { size: 3 }), head: {}, policy: { sizeLimit: 3 } })).toBe('passed'));

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
  sourceHead,
  unpaused,
} from '../../../support/pipeline.ts';

interface Case {
  readonly entry: CatalogEntry;
  readonly head: Partial<SourceHead>;
  readonly policy?: Partial<Policy>;
  readonly known?: boolean;
  readonly code: ErrorCode;
}

const CASES: Readonly<Record<string, Case>> = {
  'a length other than the catalog’s': { entry: anEntry({ size: 3 }), head: { length: 4 }, code: 'WRONG_LENGTH' },
  'a length above the limit': {
    entry: anEntry(),
    head: { length: 4 },
    policy: { sizeLimit: 3 },
    code: 'TOO_LARGE',
  },
  'a status of altered content without a checksum': { entry: anEntry(), head: { status: 203 }, code: 'SOURCE_STATUS' },
  'a size in the catalog above the limit': {
    entry: anEntry({ size: 4 }),
    head: {},
    policy: { sizeLimit: 3 },
    code: 'TOO_LARGE',
  },
  'content known to be wrong': { entry: entryOf('abc'), head: { length: 3 }, known: true, code: 'KNOWN_WRONG' },
  'an empty body that does not have the checksum': {
    entry: entryOf('abc'),
    head: { length: 0 },
    code: 'WRONG_CHECKSUM',
  },
};

/** The code of the error that a source with this head leads to; `passed` if its head passes. */
const outcome = (method: 'GET' | 'HEAD', { entry, head, policy, known = false }: Omit<Case, 'code'>): string => {
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
  let seen = 'nothing';
  of([candidate])
    .pipe(
      under(OPEN, attempts(aRequest({ method }), deps)),
      materialize(),
      map(({ value, error }) => {
        if (value?.type === 'head') seen = 'passed';
        else if (error instanceof StreamError) seen = error.code;
      }),
    )
    .subscribe();
  return seen;
};

describe.each(['GET', 'HEAD'] as const)('the answer to %s', (method) => {
  it.each(Object.entries(CASES))('is refused for %s', (_, { code, ...one }) => expect(outcome(method, one)).toBe(code));

  it('passes if it is empty, as the entry is', () =>
    expect(outcome(method, { entry: entryOf('', { size: 0 }), head: { length: 0 } })).toBe('passed'));
});

it('an answer to HEAD passes without a length', () =>
  expect(outcome('HEAD', { entry: entryOf('abc', { size: 3 }), head: {}, policy: { sizeLimit: 3 } })).toBe('passed'));

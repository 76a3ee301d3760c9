import { describe, expect, it } from '@jest/globals';
import { concat, EMPTY, of, throwError } from 'rxjs';
import { type ErrorCode, type Head, type Note, OPEN, StreamError } from '../../../pipelines/index.ts';
import { under } from '../../../pipelines/operators/flow.ts';
import { follow } from '../../../pipelines/operators/follow.ts';
import { given } from '../../../pipelines/operators/operate.ts';
import { earlierRevision } from '../../../pipelines/stages/earlier-revision.ts';
import type { Transfer, TransferEvent } from '../../../pipelines/stages/transfer.ts';
import { anEntry, aRequest } from '../../support/pipeline.ts';

const HEAD = { type: 'head', status: 200 } as Head;
const ATTEMPT = { type: 'attempt', from: 0 } as Note;

/** The error of a transfer that fails with a code, perhaps after its head. */
const failed = (code: ErrorCode, asOf: string | undefined, begun: readonly TransferEvent[] = []) => {
  const transfer: Transfer = () =>
    follow(() =>
      concat(
        of(...begun),
        throwError(() => new StreamError(code, 'feed', 'the reason', { sourceStatus: 410 })),
      ),
    );
  const entry = anEntry(asOf === undefined ? {} : { asOf });
  const seen: unknown[] = [];
  given(
    [entry],
    earlierRevision(transfer)(aRequest()),
  )(OPEN).subscribe({
    next: ({ type }) => seen.push(type),
    error: ({ code, source, told, message, sourceStatus }: StreamError) =>
      seen.push({ code, source, told, message, sourceStatus }),
  });
  return seen;
};

const NOT_KEPT = {
  code: 'NOT_KEPT',
  source: 'catalog',
  told: '/pulp/bear.rpm of revision 7',
  message: '/pulp/bear.rpm of revision 7: the reason',
  sourceStatus: 410,
};

describe('a file of an earlier revision', () => {
  it.each(['SOURCE_MISSING', 'WRONG_CHECKSUM', 'WRONG_LENGTH', 'SHORT_BODY', 'CHANGED', 'KNOWN_WRONG'] as const)(
    'is not kept if its feed fails with %s',
    (code) => expect(failed(code, 'revision 7')).toEqual([NOT_KEPT]),
  );

  it.each(['SOURCE_FAILED', 'CONNECT_FAILED', 'SOURCE_REFUSED', 'UNSATISFIABLE', 'INTERNAL'] as const)(
    'may be there although its feed fails with %s',
    (code) => expect(failed(code, 'revision 7')).toMatchObject([{ code }]),
  );

  it('is not kept, whatever was tried before', () =>
    expect(failed('SOURCE_MISSING', 'revision 7', [ATTEMPT])).toEqual(['attempt', NOT_KEPT]));

  it('breaks off as any other after its head', () =>
    expect(failed('SHORT_BODY', 'revision 7', [HEAD])).toMatchObject(['head', { code: 'SHORT_BODY' }]));

  it('is not looked for without an entry', () => {
    const seen: string[] = [];
    EMPTY.pipe(under(OPEN, earlierRevision(() => follow(() => EMPTY))(aRequest()))).subscribe({
      complete: () => seen.push('end'),
    });
    expect(seen).toEqual(['end']);
  });

  it('is meant alone', () => expect(failed('SOURCE_MISSING', undefined)).toMatchObject([{ code: 'SOURCE_MISSING' }]));
});

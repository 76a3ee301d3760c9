import { describe, expect, it } from '@jest/globals';
import { EMPTY, Observable, of, throwError } from 'rxjs';
import { Gate, type MadeFile, StreamError } from '../../../pipelines/index.ts';
import { under } from '../../../pipelines/operators/flow.ts';
import { OPEN, type Valve } from '../../../pipelines/operators/valve.ts';
import { madeFile } from '../../../pipelines/stages/made-file.ts';
import type { TransferEvent } from '../../../pipelines/stages/transfer.ts';
import { aCandidate, anEntry, aRequest, chunk, headOf, textOf } from '../../support/pipeline.ts';

const UNKNOWN = new StreamError('NOT_IN_CATALOG', 'catalog', 'unknown');
const FILE: MadeFile = { type: 'text/plain', text: 'five!' };

interface Asked {
  readonly error?: StreamError;
  readonly made?: (path: string, askedAs: () => string | undefined) => Observable<MadeFile>;
  readonly request?: Parameters<typeof aRequest>[0];
  readonly valve?: Valve;
}

const answer = ({ error = UNKNOWN, made = () => of(FILE), request, valve = OPEN }: Asked) => {
  const events: (TransferEvent | StreamError)[] = [];
  const asked = aRequest({ path: '/p%20q/.repo', askedAs: () => 'http://a/p%20q/.repo', ...request });
  throwError(() => error)
    .pipe(under(valve, madeFile(asked, { catalog: { made } })))
    .subscribe({ next: (event) => events.push(event), error: (thrown) => events.push(thrown) });
  return events.map((event) => {
    if (event instanceof StreamError) return event.code;
    if (event.type === 'chunk') return textOf(event.bytes);
    return event.type === 'head'
      ? `${event.status} ${event.length} ${new Map(event.headers).get('Content-Type')}`
      : event.type;
  });
};

describe('a file that the catalog writes', () => {
  it('answers a path that is not in the catalog', () => expect(answer({})).toEqual(['200 5 text/plain', 'five!']));

  it('is asked for by its decoded path, and the URL of the client', () => {
    const asked: unknown[] = [];
    answer({ made: (path, askedAs) => of({ ...FILE, text: String(asked.push(path, askedAs())) }) });
    expect(asked).toEqual(['/p q/.repo', 'http://a/p%20q/.repo']);
  });

  it('has no body for HEAD, and waits for a closed valve', () => {
    expect(answer({ request: { method: 'HEAD' } })).toEqual(['200 5 text/plain']);
    const valve = new Gate(false);
    expect(answer({ valve })).toEqual(['200 5 text/plain']);
  });

  it('leaves the answer as it is if there is none, if nothing is known of the URL, or for other errors', () => {
    expect(answer({ made: () => EMPTY })).toEqual(['NOT_IN_CATALOG']);
    expect(answer({ request: { askedAs: undefined } })).toEqual(['NOT_IN_CATALOG']);
    expect(answer({ error: new StreamError('SOURCE_MISSING', 'feed', 'gone') })).toEqual(['SOURCE_MISSING']);
  });

  it('does not change what passes', () => {
    const seen: string[] = [];
    of(headOf(aCandidate('feed', anEntry())), chunk('a'))
      .pipe(under(OPEN, madeFile(aRequest({ askedAs: () => 'http://a/' }), { catalog: { made: () => of(FILE) } })))
      .subscribe({ next: ({ type }) => seen.push(type), complete: () => seen.push('end') });
    expect(seen).toEqual(['head', 'chunk', 'end']);
  });

  it('is no longer waited for once the client has left', () => {
    let asks = 0;
    const made = () =>
      new Observable<MadeFile>(() => {
        asks += 1;
        return () => {
          asks -= 1;
        };
      });
    const subscription = throwError(() => UNKNOWN)
      .pipe(under(OPEN, madeFile(aRequest({ askedAs: () => 'http://a/' }), { catalog: { made } })))
      .subscribe();
    expect(asks).toBe(1);
    subscription.unsubscribe();
    expect(asks).toBe(0);
  });
});

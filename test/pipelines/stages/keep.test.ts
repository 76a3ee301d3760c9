import { describe, expect, it } from '@jest/globals';
import { type Chunk, type Head, keep, type StreamRequest } from '../../../pipelines/index.ts';
import { under } from '../../../pipelines/operators/flow.ts';
import { OPEN } from '../../../pipelines/operators/valve.ts';
import {
  aCandidate,
  anEntry,
  aRequest,
  chunk,
  entryOf,
  headOf,
  marbles,
  textOf,
  untilEndOf,
} from '../../support/pipeline.ts';

const feed = aCandidate('feed', entryOf('ab'));
const saved = aCandidate('saved', entryOf('ab'));

/** The events of the copies, in order. The head marks a copy in progress. */
const check = (
  source: string,
  result: string,
  expected: readonly string[],
  { request = {}, candidate = feed, unsubscribed, whole = true }: Options = {},
) =>
  marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
    const log: string[] = [];
    const values: Record<string, Head | Chunk> = {
      h: headOf(candidate, { length: 2, whole }),
      a: chunk('a'),
      b: chunk('b'),
    };
    const events = cold(source, values);
    const keeping = {
      write: (bytes: Uint8Array) => log.push(textOf(bytes)),
      commit: () => log.push('committed'),
      abort: () => log.push('aborted'),
    };
    const kept = keep(aRequest(request), {
      keep: (entry, length) => {
        log.push(`${entry.path} ${length}`);
        return keeping as never;
      },
    });
    const marked = expected.length > 0 ? { ...values, h: headOf(candidate, { length: 2, keepsCopy: true }) } : values;
    expectObservable(events.pipe(under(OPEN, kept)), unsubscribed).toBe(result, marked);
    expectSubscriptions(events.subscriptions).toBe(unsubscribed ?? untilEndOf(result));
    flush();
    expect(log).toEqual(expected);
  });

interface Options {
  readonly request?: Partial<StreamRequest>;
  readonly candidate?: typeof feed;
  readonly unsubscribed?: string;
  readonly whole?: boolean;
}

const COPY = '/pulp/bear.rpm 2';

describe('keep', () => {
  it('writes the bytes as they pass, and commits with the end', () =>
    check('-h-a-b-|', '-h-a-b-|', [COPY, 'a', 'b', 'committed']));

  it('aborts the copy if the body fails', () => check('-h-a-#', '-h-a-#', [COPY, 'a', 'aborted']));

  it('aborts the copy when the consumer leaves', () =>
    check('-h-a-b-|', '-h-a', [COPY, 'a', 'aborted'], { unsubscribed: '^---!' }));

  it('does not write one for HEAD, for a request without `save`, or from a copy', () => {
    check('-h-|', '-h-|', [], { request: { method: 'HEAD' } });
    check('-h-a-b-|', '-h-a-b-|', [], { request: { save: false } });
    check('-h-a-b-|', '-h-a-b-|', [], { candidate: saved });
  });

  it('writes none of what changes without notice, unless its checksum says which content it is', () => {
    check('-h-a-b-|', '-h-a-b-|', [], { candidate: aCandidate('feed', anEntry({ maxAge: 1 })) });
    const named = aCandidate('feed', entryOf('ab', { maxAge: 1 }));
    check('-h-a-b-|', '-h-a-b-|', [COPY, 'a', 'b', 'committed'], { candidate: named });
  });

  it('passes everything on if the copy is declined', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const values: Record<string, Head | Chunk> = { h: headOf(feed), a: chunk('a') };
      const events = cold('-h-a-|', values);
      expectObservable(events.pipe(under(OPEN, keep(aRequest(), { keep: () => undefined })))).toBe('-h-a-|', values);
      expectSubscriptions(events.subscriptions).toBe('^----!');
    }));

  it('lets the head tell where its copy is read, and how far it is', () =>
    marbles(({ cold, expectObservable, flush }) => {
      const keeping = { write: () => {}, commit: () => {}, abort: () => {} };
      const told = { basin: { from: 0 } as never, progress: { taken: 0, written: 0 } };
      const kept = keep(aRequest(), { keep: () => ({ ...keeping, ...told }) });
      const marked = headOf(feed, { keepsCopy: true, basin: told.basin, copy: told.progress });
      expectObservable(cold('h|', { h: headOf(feed) }).pipe(under(OPEN, kept))).toBe('h|', { h: marked });
      flush();
    }));

  it('commits before completion, so that the next request finds the copy', () => {
    const log: string[] = [];
    const keeping = { write: () => {}, commit: () => log.push('committed'), abort: () => log.push('aborted') };
    marbles(({ cold, flush }) => {
      cold('h|', { h: headOf(feed) })
        .pipe(under(OPEN, keep(aRequest(), { keep: () => keeping as never })))
        .subscribe({ complete: () => log.push('complete') });
      flush();
    });
    expect(log).toEqual(['committed', 'complete']);
  });

  it('writes no part', () => check('-h-a-|', '-h-a-|', [], { whole: false }));
});

import { describe, expect, it } from '@jest/globals';
import { concat, NEVER, Observable, of } from 'rxjs';
import { type Location, OPEN, type SourceEvent } from '../../../pipelines/index.ts';
import { countBytes } from '../../../src/observe/count-bytes.ts';
import { anAsk } from '../../support/collect.ts';
import { subscribeGone } from '../../support/gone.ts';
import { chunk } from '../../support/pipeline.ts';

const AT: Location = { url: 'http://feed/a' };

describe('bytes that are counted', () => {
  it('are those of each sum that a sum is within, as they pass', () => {
    const all = { bytes: 0 };
    const own = { bytes: 1, within: all };
    const open = countBytes(() => () => concat(of(chunk('abc'), chunk('de')), NEVER), { sumOf: () => own });
    open(AT, anAsk())(OPEN).subscribe();
    expect([own.bytes, all.bytes]).toEqual([6, 5]);
  });

  it('are told once when the body is left, and the source is closed before', () => {
    const told: unknown[] = [];
    const source = new Observable<SourceEvent>((out) => {
      out.next(chunk('abc'));
      return () => told.push('closed');
    });
    const endedOf = () => (location: Location, bytes: number) => told.push([location.url, bytes]);
    const left = countBytes(() => () => source, { endedOf })(AT, anAsk())(OPEN).subscribe();
    expect(told).toEqual([]);
    left.unsubscribe();
    left.unsubscribe();
    expect(told).toEqual(['closed', ['http://feed/a', 3]]);
  });

  it('are none of a source whose consumer is gone: it is not opened, and nothing fails unseen', async () => {
    const told: unknown[] = [];
    const source = new Observable<SourceEvent>(() => {
      told.push('opened');
    });
    const endedOf = () => () => told.push('ended');
    expect(await subscribeGone(countBytes(() => () => source, { endedOf })(AT, anAsk())(OPEN))).toEqual([]);
    expect(told).toEqual([]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { VirtualTimeScheduler } from 'rxjs';
import { type Header, StreamError, stateOf } from '../../../../pipelines/index.ts';
import { createWrongContent } from '../../../../pipelines/stages/health/wrong-content.ts';
import { aCandidate, anEntry, entryOf, sourceHead } from '../../../support/pipeline.ts';

const a = aCandidate('a', entryOf('abc'));
const tagged = (etag: string, length?: number) => {
  const headers: readonly Header[] = [['ETag', etag]];
  return sourceHead({ headers, length });
};
const wrong = (state?: string) => new StreamError('WRONG_CHECKSUM', 'feed', 'wrong', { state });

const withClock = () => {
  const time = new VirtualTimeScheduler();
  const content = createWrongContent({ coolingTime: (times) => 100 * times, lastFor: () => 1000, scheduler: time });
  const at = (frame: number, act: () => void) => time.schedule(act, frame);
  const found = (candidate = a, head = tagged('"1"')) => content.found(candidate, wrong(stateOf(candidate, head)));
  return { time, content, at, found };
};

describe('wrong content', () => {
  it('is known until it has cooled down, and its URL comes last for longer', () => {
    const { time, content, at, found } = withClock();
    expect([content.isKnown(a, tagged('"1"')), content.isSuspect(a)]).toEqual([false, false]);
    found();
    at(99, () => expect([content.isKnown(a, tagged('"1"')), content.isSuspect(a)]).toEqual([true, true]));
    at(100, () => expect([content.isKnown(a, tagged('"1"')), content.isSuspect(a)]).toEqual([false, true]));
    at(1000, () => expect(content.isSuspect(a)).toBe(false));
    time.flush();
    expect(time.frame).toBe(1000);
  });

  it('cools down for longer each time that it is found again', () => {
    const { time, content, at, found } = withClock();
    found();
    at(100, found);
    at(299, () => expect(content.isKnown(a, tagged('"1"'))).toBe(true));
    at(300, () => {
      expect(content.isKnown(a, tagged('"1"'))).toBe(false);
      // Other content begins anew.
      found(a, tagged('"2"'));
    });
    at(400, () => expect(content.isKnown(a, tagged('"2"'))).toBe(false));
    time.flush();
    expect(time.frame).toBe(400);
  });

  it('is no longer known once its tag, date or length, URL, or the checksum of the catalog has changed', () => {
    const { content, found } = withClock();
    found(a, tagged('"1"', 3));
    expect(content.isKnown(a, tagged('"1"', 3))).toBe(true);
    expect(content.isKnown(a, tagged('"2"', 3))).toBe(false);
    expect(content.isKnown(a, tagged('"1"', 4))).toBe(false);
    expect(content.isKnown(aCandidate('b', a.entry), tagged('"1"', 3))).toBe(false);
    expect(content.isKnown(aCandidate('a', entryOf('new')), tagged('"1"', 3))).toBe(false);
    const dated = (date: string) => sourceHead({ headers: [['Last-Modified', date]] });
    found(a, dated('yesterday'));
    expect(content.isKnown(a, dated('yesterday'))).toBe(true);
    expect(content.isKnown(a, dated('today'))).toBe(false);
  });

  it('without tag and date is known by its length', () => {
    const { content, found } = withClock();
    found(a, sourceHead({ length: 3 }));
    expect(content.isKnown(a, sourceHead({ length: 3 }))).toBe(true);
    expect(content.isKnown(a, sourceHead({ length: 4 }))).toBe(false);
  });

  it('that is only compressed is remembered as such, beside its decoded state', () => {
    const { time, content, at, found } = withClock();
    const [packed, decoded] = [sourceHead({ headers: [['Content-Encoding', 'gzip']] }), sourceHead()];
    content.found(a, new StreamError('WRONG_CODING', 'feed', 'packed', { state: stateOf(a, packed) }));
    found(a, decoded);
    at(999, () => expect([packed, decoded].map((head) => content.wasCoded(a, head))).toEqual([true, false]));
    at(1000, () => expect(content.wasCoded(a, packed)).toBe(false));
    time.flush();
    expect(time.frame).toBe(1000);
  });

  it('that is compressed stays so, whatever another attempt makes of it', () => {
    const { content, found } = withClock();
    const packed = sourceHead({ headers: [['Content-Encoding', 'gzip']] });
    content.found(a, new StreamError('WRONG_CODING', 'feed', 'packed', { state: stateOf(a, packed) }));
    found(a, packed);
    expect(content.wasCoded(a, packed)).toBe(true);
  });

  it('of several sources is known of none of them, but both come last', () => {
    const { content } = withClock();
    content.found(a, wrong());
    expect([content.isKnown(a, tagged('"1"')), content.isSuspect(a)]).toEqual([false, true]);
  });

  it('is forgotten with its URL, and takes no place of another if its state is unknown', () => {
    const { content, found } = withClock();
    const others = Array.from({ length: 1000 }, (_, index) => aCandidate(`s${index}`, anEntry()));
    for (const tag of ['"1"', '"2"']) found(a, tagged(tag));
    for (const other of others.slice(1)) content.found(other, wrong());
    expect(['"1"', '"2"'].map((tag) => content.isKnown(a, tagged(tag)))).toEqual([true, true]);
    for (const other of others.slice(0, 1)) content.found(other, wrong());
    expect(['"1"', '"2"'].map((tag) => content.isKnown(a, tagged(tag)))).toEqual([false, false]);
  });

  it('of a saved copy is not known: the next copy has the same tag', () => {
    const { content, found } = withClock();
    const copy = aCandidate('saved', a.entry);
    found(copy);
    expect([content.isKnown(copy, tagged('"1"')), content.isSuspect(copy)]).toEqual([false, true]);
  });

  it('is forgotten in favour of content found later', () => {
    const { content, found } = withClock();
    const many = Array.from({ length: 1001 }, (_, index) => aCandidate(`s${index}`, anEntry()));
    for (const one of many) found(one);
    expect(many.filter((one) => content.isKnown(one, tagged('"1"')))).toEqual(many.slice(1));
  });
});

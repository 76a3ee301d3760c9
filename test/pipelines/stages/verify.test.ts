import { describe, expect, it } from '@jest/globals';
import { concat, from, of, throwError } from 'rxjs';
import {
  type Candidate,
  type Chunk,
  flow,
  type Head,
  type Note,
  OPEN,
  StreamError,
  verify,
} from '../../../pipelines/index.ts';
import { wrongChecksum } from '../../../pipelines/stages/verify.ts';
import { aCandidate, anEntry, chunk, entryOf, headOf, newDigest, sha256 } from '../../support/pipeline.ts';

const [one, other] = [aCandidate('one', entryOf('abc')), aCandidate('other', entryOf('abc'))];
const disk = aCandidate('disk', entryOf('abc'), { url: 'file:///bear.rpm' });
const CHECKSUM = { algorithm: 'sha256', value: sha256('abc') } as const;
const resumed = (candidate: Candidate): Note => ({ type: 'resumed', candidate, from: 1 }) as Note;

/** The events that pass, with the names of sources that are blamed, and the error. */
const verified = (events: readonly (Head | Chunk | Note)[], start?: Parameters<typeof verify>[2]) => {
  const blamed: Candidate[] = [];
  let error: unknown;
  const source = () => from(events);
  flow(
    source,
    verify({ method: 'GET' }, { newDigest }, start),
  )(OPEN).subscribe({
    next: (event) => {
      if (event.type === 'failed') blamed.push(event.candidate);
    },
    error: (found) => {
      error = found;
    },
  });
  return { blamed, error: error as StreamError | undefined };
};
const head = headOf(one, { state: 'S', length: 3 });

describe('the blame for wrong content', () => {
  it.each([
    ['its only source, with the state that it had', [head, chunk('abd')], [one], 'S'],
    ['a source once, however often it continued', [head, chunk('ab'), resumed(one), chunk('d')], [one], 'S'],
    [
      'all sources, since the bytes of one cannot be told',
      [head, chunk('ab'), resumed(other), chunk('d')],
      [one, other],
      undefined,
    ],
  ] as const)('is for %s', (_, events, blamed, state) => {
    const found = verified(events);
    expect(found.blamed).toEqual(blamed);
    expect(found.error).toMatchObject({ code: 'WRONG_CHECKSUM', state });
  });

  it('is for the source of a body that another transfer began, and for the one that continued it', () => {
    const digest = newDigest('sha256');
    digest.update(Buffer.from('ab'));
    const start = { head, sent: 2, digest } as Parameters<typeof verify>[2];
    expect(verified([chunk('d')], start).blamed).toEqual([one]);
    expect(verified([resumed(other), chunk('d')], start)).toMatchObject({
      blamed: [one, other],
      error: { state: undefined },
    });
    // Others may continue from the same byte.
    expect(verified([chunk('c')], start)).toEqual({ blamed: [], error: undefined });
  });

  it('is only for sources whose bytes the digest has', () => {
    const note = { ...resumed(other), digest: newDigest('sha256') } as Note;
    const { blamed, error } = verified([head, chunk('ab'), note, chunk('d')]);
    expect(blamed).toEqual([other]);
    // The state is that of another source.
    expect(error).toMatchObject({ state: undefined });
  });

  it('is for nobody without a checksum, and without a head', () => {
    const bare = headOf(aCandidate('one', anEntry()), { length: 3 });
    expect(verified([bare, chunk('abd')])).toEqual({ blamed: [], error: undefined });
    expect(verified([])).toEqual({ blamed: [], error: undefined });
    expect(verified([chunk('a')])).toEqual({ blamed: [], error: undefined });
  });

  it('names all sources, and where they are', () => {
    const errorOf = (...sources: Candidate[]) => wrongChecksum(sources, CHECKSUM, 'x', 'S');
    const end = `sha256 x, but the catalog lists ${CHECKSUM.value}`;
    expect(errorOf(one)).toMatchObject({ source: 'feed', state: 'S', message: `http://one/bear.rpm has ${end}` });
    expect(errorOf(disk)).toMatchObject({ source: 'disk', message: `file:///bear.rpm has ${end}` });
    expect(errorOf(disk, one)).toMatchObject({
      source: 'feed',
      message: `file:///bear.rpm and http://one/bear.rpm together have ${end}`,
    });
  });
});

describe('a start without the digest of what was sent', () => {
  const start = (sent: number) => ({ head, sent }) as Parameters<typeof verify>[2];

  it('is refused, since it could prove nothing', () =>
    expect(verified([], start(2)).error).toEqual(new Error('the start has no digest of the bytes already sent')));
  it('is fresh if nothing was sent', () => expect(verified([chunk('abc')], start(0)).error).toBeUndefined());
});

it('passes the error of its source', () => {
  const error = new StreamError('STALLED', 'feed', 'why');
  const seen: unknown[] = [];
  const source = () =>
    concat(
      of(head, chunk('ab')),
      throwError(() => error),
    );
  flow(source, verify({ method: 'GET' }, { newDigest }))(OPEN).subscribe({ error: (found) => seen.push(found) });
  expect(seen).toEqual([error]);
});

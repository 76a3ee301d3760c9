import { describe, expect, it } from '@jest/globals';
import { BehaviorSubject, NEVER, Subject } from 'rxjs';
import { type CatalogEntry, createSharing, type Head } from '../../../pipelines/index.ts';
import type { TransferEvent } from '../../../pipelines/stages/transfer.ts';
import { aCandidate, anEntry } from '../../support/pipeline.ts';

const MIB = 1024 * 1024;

const checksum = { algorithm: 'sha256', value: 'a'.repeat(64) } as const;
const candidateWith = (more: Partial<CatalogEntry>) =>
  aCandidate('feed', anEntry({ url: 'http://feed.example/a', checksum, ...more }));

/** Whether the bytes of content with such a head stay on disk for requests that come later. */
const stays = (more: Partial<Head>): boolean => {
  let spills = 0;
  const sharing = createSharing({
    ...{ window: 8 * MIB, memory: 16 * MIB },
    spill: () => {
      spills += 1;
      return undefined;
    },
  });
  const events = new Subject<TransferEvent>();
  const source = () => () => events;
  const join = { key: 'k', source, fallback: () => NEVER, onJoin: { type: 'shared' } as const };
  const client = sharing.join(join)(new BehaviorSubject(true)).subscribe();
  events.next({
    ...{ type: 'head', status: 200, length: 16 * MIB, whole: true, first: 0, headers: [], verified: false },
    ...{ candidate: candidateWith({}), sourceStatus: 200, acceptRanges: '', ...more },
  });
  events.next({ type: 'chunk', bytes: new Uint8Array(MIB) });
  client.unsubscribe();
  return spills > 0;
};

describe('Content of which others may want parts that have passed', () => {
  it('stays on disk if it is large and its feed does not announce parts', () => {
    expect(stays({})).toBe(true);
    expect(stays({ acceptRanges: 'none' })).toBe(true);
  });

  it.each<[string, Partial<Head>]>([
    ['feed announces parts', { acceptRanges: 'bytes' }],
    ['size is that of a package', { length: 16 * MIB - 1 }],
    ['length is unknown', { length: undefined }],
    ['source is no server', { sourceStatus: undefined }],
    ['entry has no checksum', { candidate: candidateWith({ checksum: undefined }) }],
    ['copy is kept', { keepsCopy: true }],
    ['body is a part', { whole: false, status: 206, sourceStatus: 206 }],
  ])('does not if its %s', (_, more) => expect(stays(more)).toBe(false));
});

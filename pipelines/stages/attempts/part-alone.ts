import {
  type Candidate,
  errorSourceOf,
  etagOf,
  field,
  holds,
  isSmall,
  type Policy,
  resolveRange,
  type SourceEvent,
  type SourceHead,
  StreamError,
} from '../../model/index.ts';
import { fuse } from '../../operators/fuse.ts';
import { operate, type Stage } from '../../operators/operate.ts';
import type { Wanted } from './wanted.ts';

/**
 * Errors with `NEEDS_WHOLE` at the head of an answer to a range if the part must be cut from the
 * whole: the source has ignored the range, or the content is so small that the whole is verified
 * first. Everything else passes, as does content without a checksum: no other source could continue
 * its whole, so its parts are cut from an answer each.
 */
export const partAlone = (
  candidate: Candidate,
  wanted: Wanted,
  policy: Pick<Policy, 'verifyWholeBelow'>,
): Stage<SourceEvent, SourceEvent> => {
  if (!wanted.range || !candidate.entry.checksum) return fuse();
  return operate((out) => ({
    next: (event) => {
      if (event.type === 'head' && event.status !== 304) judge(event, candidate, wanted, policy);
      out.next(event);
    },
  }));
};

const judge = (
  head: SourceHead,
  candidate: Candidate,
  { range, ifRange }: Wanted,
  policy: Pick<Policy, 'verifyWholeBelow'>,
): void => {
  const { entry } = candidate;
  const total = head.length ?? entry.size;
  const part = range && total !== undefined ? resolveRange(range, total) : undefined;
  // The whole is wanted, or nothing of it exists.
  if (total !== undefined && (!part || part.last - part.first + 1 === total)) return;
  const validators = {
    etag: entry.checksum && etagOf(entry.checksum),
    lastModified: entry.replaced ? undefined : field(head.headers, 'last-modified'),
  };
  const isAll = head.from === 0 && head.last === undefined;
  if (isAll && holds(ifRange, validators)) throw needsWhole(candidate, 'sends the whole instead of a part');
  if (!isAll && !head.checked && !candidate.unproven && isSmall({ ...entry, size: total }, policy))
    throw needsWhole(candidate, `has only ${total} bytes, so the whole is verified`);
};

export const needsWhole = (candidate: Candidate, why: string): StreamError =>
  new StreamError('NEEDS_WHOLE', errorSourceOf(candidate), `${candidate.url} ${why}`);

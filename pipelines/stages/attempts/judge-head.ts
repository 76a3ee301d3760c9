import { type Candidate, errorSourceOf, type Policy, type SourceHead, StreamError } from '../../model/index.ts';
import type { Health } from '../health/health.ts';

export interface JudgeHeadDeps {
  readonly policy: Pick<Policy, 'sizeLimit'>;
  readonly health?: Pick<Health, 'isKnownWrong'>;
}

/**
 * Throws if the head of a source shows that its content is not the entry's, is too large, or is the
 * content that was found wrong before. Content that was altered on the way (203), or comes with an
 * unknown success, needs a checksum that judges it. The one rule for GET and HEAD.
 */
export const judgeHead = (candidate: Candidate, head: SourceHead, { policy: { sizeLimit }, health }: JudgeHeadDeps) => {
  const { entry, url } = candidate;
  const fail = (code: 'WRONG_LENGTH' | 'TOO_LARGE' | 'KNOWN_WRONG', what: string) => {
    throw new StreamError(code, errorSourceOf(candidate), `${url} ${what}`);
  };
  if (!entry.checksum && !ASSURED.has(head.status)) {
    const what = `${url} answered ${head.status}, and the catalog has no checksum to judge its content`;
    throw new StreamError('SOURCE_STATUS', errorSourceOf(candidate), what, { sourceStatus: head.status });
  }
  const length = head.length ?? entry.size;
  if (entry.size !== undefined && entry.size !== length)
    fail('WRONG_LENGTH', `has ${length} bytes, but the catalog lists ${entry.size}`);
  if (sizeLimit > 0 && (length ?? 0) > sizeLimit) fail('TOO_LARGE', `has ${length} bytes, the limit is ${sizeLimit}`);
  if (health?.isKnownWrong(candidate, head))
    fail('KNOWN_WRONG', `has the same content that was found wrong before, so it is not transferred again`);
};

/** The statuses of content as its origin has it. A 304 or 416 can prove that nothing is missing. */
const ASSURED: ReadonlySet<number | undefined> = new Set([undefined, 200, 206, 304, 416]);

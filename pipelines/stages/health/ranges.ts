import type { SchedulerLike } from 'rxjs';
import type { Candidate, Head } from '../../model/index.ts';
import { createRecent } from './recent.ts';

/**
 * - `parts`: it has sent one.
 * - `unannounced`: it has not said that it sends parts.
 * - `asked`: it is asked for a part now.
 * - `whole`: it sends no parts, or its content is so small that parts are cut from the whole.
 */
type Known = 'parts' | 'unannounced' | 'asked' | 'whole';

interface RangesOptions {
  /** Milliseconds that an answer counts, and the shorter time that is waited for one. */
  readonly lastFor: () => number;
  readonly askedFor: () => number;
  readonly scheduler: SchedulerLike;
}

/** What is known of URLs that are asked for parts of their content. */
export interface Ranges {
  /**
   * Whether parts are cut from the whole without asking for them. A URL that did not announce parts
   * is asked for one at a time, until it has sent one.
   */
  needsWhole(candidate: Candidate): boolean;
  /** Records the head of a response. */
  answered(head: Head): void;
  /** Records that a part was refused, or that nothing became known. */
  failed(candidate: Candidate, needsWhole: boolean): void;
}

/** URLs that are remembered; the one heard of longest ago is dropped first. */
const REMEMBERED = 1000;

export const createRanges = ({ lastFor, askedFor, scheduler }: RangesOptions): Ranges => {
  const urls = createRecent<string, { readonly known: Known; readonly until: number }>(REMEMBERED);

  const of = ({ url }: Candidate): Known | undefined => {
    const found = urls.get(url);
    return found && scheduler.now() < found.until ? found.known : undefined;
  };
  const remember = ({ url }: Candidate, known: Known) =>
    urls.set(url, { known, until: scheduler.now() + (known === 'asked' ? askedFor : lastFor)() });

  return {
    needsWhole: (candidate) => {
      const known = of(candidate);
      if (known === 'unannounced') remember(candidate, 'asked');
      return known === 'whole' || known === 'asked';
    },
    answered: ({ candidate, sourceStatus, acceptRanges }) => {
      if (sourceStatus === 206) remember(candidate, 'parts');
      // A file, or the answer that nothing has changed.
      if (sourceStatus !== 200 || acceptRanges === 'bytes') return;
      if (acceptRanges === 'none') remember(candidate, 'whole');
      else if (of(candidate) === undefined) remember(candidate, 'unannounced');
    },
    failed: (candidate, needsWhole) => {
      if (needsWhole) remember(candidate, 'whole');
      else if (of(candidate) === 'asked') remember(candidate, 'unannounced');
    },
  };
};

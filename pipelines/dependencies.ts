import type { SchedulerLike } from 'rxjs';
import type {
  Candidate,
  Catalog,
  FindCandidates,
  FolderPolicy,
  Keep,
  NewDigest,
  OpenSource,
  Outbox,
  Policy,
  Report,
  StreamError,
  Watch,
} from './model/index.ts';
import type { Lengths } from './stages/attempts/lengths.ts';
import type { Health } from './stages/health/health.ts';
import type { SliceMemory } from './stages/hold-slices.ts';
import type { Sharing } from './stages/sharing.ts';

/** Dependencies of `lazyFetch`. Embedders that do not save or log omit the optional ones. */
export interface LazyFetchDeps {
  readonly catalog: Pick<Catalog, 'lookup' | 'spelling' | 'unlisted' | 'children' | 'made'>;
  /** Without it, a path that ends with a slash is like any other. */
  readonly folders?: FolderPolicy;
  /** Queried in this order for every entry: best first, the feed last. */
  readonly sources: readonly FindCandidates[];
  readonly open: OpenSource;
  readonly newDigest: NewDigest;
  readonly policy: Policy;
  /** From 0 to 1: jitter for back-off. */
  readonly random: () => number;
  /** The past behaviour of sources, of all requests. Without it, they keep their order. */
  readonly health?: Health;
  /** Transfers in progress that other requests may join. Without it, each request has its own. */
  readonly sharing?: Sharing;
  /** Lengths of contents whose sources send none. Without it, those sources are asked each time. */
  readonly lengths?: Lengths;
  /** Memory for held slices. Without it, their number is not limited. */
  readonly slices?: SliceMemory;
  readonly keep?: Keep;
  readonly outbox?: Pick<Outbox, 'append' | 'written'>;
  /** Called once for each request with its report, however it ended. */
  readonly report?: (report: Report) => void;
  readonly watch?: Watch;
  /** Called with the candidate of each failed attempt, and its error. */
  readonly failed?: (candidate: Candidate, error: StreamError) => void;
  /** Clock of all timers and measurements. Default: the RxJS clock. */
  readonly scheduler?: SchedulerLike;
}

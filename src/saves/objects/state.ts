import type { Subject } from 'rxjs';
import type { Semaphore } from '../../lib/semaphore.ts';
import type { Eviction } from '../copies/eviction.ts';
import type { KeyedMutex } from '../copies/keyed-mutex.ts';
import type { Shelf } from '../copies/shelf.ts';
import type { Backlog } from '../copies/write-backlog.ts';
import type { Breaker } from './breaker.ts';
import type { Bucket } from './bucket.ts';
import type { Intake } from './intake.ts';
import type { KnownCopies } from './known.ts';
import type { UploadLog } from './upload-log.ts';

/** The state that all steps of the store share. */
export interface ObjectState {
  readonly bucket: Bucket;
  readonly shelf: Shelf;
  readonly known: KnownCopies;
  readonly breaker: Breaker;
  readonly intake: Intake;
  readonly backlog: Backlog;
  /** The queue of what is sent. */
  readonly lines: Semaphore;
  readonly log: UploadLog;
  /** Where it is, and whose. */
  readonly uploads: { readonly folder: string; readonly family: string };
  /** Orders the work on the copy of one key. */
  readonly mutex: KeyedMutex;
  readonly eviction: Eviction;
  /** Bytes of all copies; 0: no limit. It may change. */
  readonly limit: () => number;
  /** The keys of content above the limit. A save request for it is done. */
  readonly tooLarge: Set<string>;
  /** Emits the key of each copy that was abandoned. */
  readonly abandoned: Subject<string>;
  /** Reports an error. Never throws. */
  readonly report: (cause: unknown) => void;
  /** Called with what was wrong in the store, after it was mended. */
  readonly mended: (what: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

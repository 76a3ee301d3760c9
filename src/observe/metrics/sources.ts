import type { Observable } from 'rxjs';
import type { SourceId } from '../../../pipelines/model/index.ts';
import type { FinishedRequest } from '../../lib/finished-request.ts';

/** The daemon as metrics see it: what it emits, and what is read with each scrape. */
export interface MetricsSources {
  readonly version: string;
  readonly finished: Observable<FinishedRequest>;
  readonly deliveries: Observable<{ readonly type: 'delivered' | 'declined' | 'put-off' }>;
  readonly refreshes: Observable<RefreshSeen>;
  readonly cooldowns: {
    readonly changes: Observable<{ readonly type: 'failed' | 'trial' | 'recovered' }>;
    /** `until`: milliseconds on the clock of `now`. */
    unhealthy(): readonly { readonly source: SourceId; readonly until: number; readonly failures: number }[];
  };
  /** What was fetched ahead since the start; absent if nothing can be. */
  readonly warmed?: () => WarmSeen;
  readonly load: () => Load;
  readonly limits: { readonly transfers: number; readonly connections: number };
  readonly usage: Usage;
  /** Bytes that came from sources over the network since the start, by kind. */
  readonly fetched: () => Iterable<readonly [kind: string, bytes: number]>;
  /** Absent if the daemon saves nothing. `age`: milliseconds. */
  readonly outbox?: { depth(): { readonly waiting: number; readonly age: number } };
  /** Imported and followed ones. */
  readonly repositories: () => Iterable<RepositorySeen>;
  /** Whether the catalog answers. */
  readonly ready: () => boolean;
  /** A line for each thing that does not work. */
  readonly degraded: () => readonly string[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface RefreshSeen {
  readonly type: 'started' | 'done' | 'failed';
  readonly kind: string;
  readonly id: string;
  readonly units?: number;
}

export interface RepositorySeen {
  readonly prefix: string;
  readonly packages: number;
  readonly metadata: number;
  /** Unix seconds; 0 if it never succeeded. */
  readonly succeeded: number;
  /** Seconds after which it is imported again; absent if it is not. */
  readonly every?: number;
}

export interface WarmSeen {
  readonly files: number;
  readonly bytes: number;
  readonly failed: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly waiting: number;
}

interface Load {
  readonly connections: number;
  readonly transfers: number;
  readonly clients: number;
  readonly paused: number;
}

export interface Usage {
  connections(): readonly {
    readonly origin: string;
    readonly busy: number;
    readonly idle: number;
    readonly waiting: number;
  }[];
  /** `notAfter`: milliseconds since 1970. */
  certificates(): readonly { readonly source: string; readonly what: string; readonly notAfter: number }[];
  /** Bytes and numbers; absent if no copies are kept. */
  copies?(): { readonly bytes?: number; readonly evicted: number; readonly evictedBytes: number };
  /** Bytes. 0: no limit. */
  readonly copiesLimit: number;
  /** Bytes that wait on disk. */
  spilled(): number;
  /** Bytes of memory for reads. */
  buffers(): { readonly lent: number; readonly unused: number };
}

import type { Observable } from 'rxjs';
import type { Dispatch, Outbox, SaveRequest } from '../../pipelines/index.ts';
import type { ByteCounter } from '../observe/count-bytes.ts';
import type { Eviction } from '../saves/copies/eviction.ts';
import type { Places } from '../sources/source-limits.ts';
import type { Refresh } from './refreshes.ts';

/** What a process that only answers requests needs of the one that owns the state folder. */
export interface Owner {
  readonly outbox: Pick<Outbox, 'append' | 'written'>;
  readonly eviction: Eviction;
  /** Processes that answer requests. */
  readonly workers: number;
}

export interface StreamerOptions {
  /**
   * Whether to deliver save requests and refresh alternate sources, as the daemon does and a single
   * command does not. Default: true.
   */
  readonly delivering?: boolean;
  /**
   * The process that owns the state folder, if this one only answers requests. It refreshes, delivers
   * and removes for this one.
   */
  readonly owner?: Owner;
  /** The places of sources that limit their transfers. Default: those of this process. */
  readonly places?: Places;
  /** The name of the daemon whose processes share the folder of copies. Default: it is one process. */
  readonly family?: string;
  /** Wraps the delivery of each save request. */
  readonly around?: (dispatch: Dispatch) => Dispatch;
  /** What other processes of the daemon refresh. Default: nothing. */
  readonly elsewhere?: Observable<Refresh>;
  /** Called with each save request of this process's own transfers, before it is appended. */
  readonly noted?: (save: SaveRequest) => void;
  /** Wants to know the bytes of the sources that are opened. Default: nothing does. */
  readonly counter?: ByteCounter;
}

import type { Subject } from 'rxjs';
import type { Semaphore } from '../../lib/semaphore.ts';
import type { Checks } from './checks.ts';
import type { Eviction } from './eviction.ts';
import type { KeyedMutex } from './keyed-mutex.ts';
import type { PartialFolder } from './partial-folder.ts';
import type { Room } from './room.ts';
import type { Shelf } from './shelf.ts';
import type { Backlog } from './write-backlog.ts';

/** The state that all steps of the save store share. */
export interface StoreState {
  readonly folder: string;
  readonly shelf: Shelf;
  /** The folder of files in the making. */
  readonly partial: PartialFolder;
  /** Bytes of all copies; 0: no limit. */
  readonly limit: number;
  /** Whether each read compares the blocks of a copy. */
  readonly checked: boolean;
  /** Whether the group of the folder may read copies. */
  readonly shared: boolean;
  readonly backlog: Backlog;
  readonly room: Room;
  /** The queue of disk operations. */
  readonly semaphore: Semaphore;
  /** Orders the work on the files of one key. */
  readonly mutex: KeyedMutex;
  readonly checks: Checks;
  readonly eviction: Eviction;
  /** The keys of content above the limit. A save request for it is done. */
  readonly tooLarge: Set<string>;
  /** Emits the key of each copy that was abandoned. */
  readonly abandoned: Subject<string>;
  /** Reports an error. Never throws. */
  readonly report: (cause: unknown) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Whether content of this length can never be kept. Records it for its save request. */
export const isTooLarge = ({ limit, tooLarge }: StoreState, key: string, bytes: number): boolean => {
  if (limit > 0 && bytes > limit) tooLarge.add(key);
  return tooLarge.has(key);
};

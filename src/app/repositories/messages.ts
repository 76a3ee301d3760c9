import type { Progress } from '../../catalog/import.ts';
import type { RefreshResult } from '../../catalog/refresh-repository.ts';
import type { RepositoryKey } from '../../catalog/stored-repository.ts';
import type { Settings } from '../../config/schema.ts';

/** What the daemon sends to the process. */
export interface Job {
  readonly settings: Settings;
  readonly repository: RepositoryKey;
  /** Another suite of it, which belongs to it from now on. */
  readonly suite?: string;
}

/** What the process answers: progress, then one of the others. */
export type Message =
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'done'; readonly result: RefreshResult }
  | { readonly type: 'failed'; readonly message: string };

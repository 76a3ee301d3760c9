import type { RefreshEvent } from '../../pipelines/index.ts';

/** What is read again and again: an alternate source, an imported repository, a followed one. */
export type RefreshKind = 'alternate' | 'import' | 'follow';

/** Each `started` is followed by `done` or `failed`, unless the streamer closes. */
export interface Refresh {
  readonly type: 'started' | 'done' | 'failed';
  readonly kind: RefreshKind;
  /** The id of the alternate source, or the prefix of the repository. */
  readonly id: string;
  /** The entries or offers found. Present if it is done. */
  readonly units?: number;
}

/** A refresh as one of its events states it; nothing if the event is of interest to its pipeline alone. */
export const refreshOf = <S>(kind: RefreshKind, event: RefreshEvent<S>, id: string): readonly Refresh[] => {
  const { type } = event;
  if (type === 'done') return [{ type, kind, id, units: event.units }];
  return type === 'started' || type === 'failed' ? [{ type, kind, id }] : [];
};

import type { RefreshStore } from '../refresh-store.ts';
import type { Content } from './content.ts';
import type { Refreshes } from './refreshes.ts';

/** The embedded catalog as the store of refreshes. Each step is one synchronous transaction. */
export const sqliteRefreshStore = ({
  content,
  refreshes,
}: {
  readonly content: Content;
  readonly refreshes: Refreshes;
}): RefreshStore => ({
  state: async (sourceId, now) => refreshes.state(sourceId, now),
  count: async (sourceId, now) => refreshes.count(sourceId, now),
  begin: async (sourceId) => refreshes.begin(sourceId),
  add: async (_, offers) => content.add(offers),
  finish: async (refresh, cataloged) => refreshes.finish(refresh, cataloged),
  abandon: async (refresh, cataloged) => refreshes.abandon(refresh, cataloged),
  retire: async ({ sourceId, mark }, most, kept) => content.retire(sourceId, mark, most, kept),
  purge: async (now, most) => content.purge(now, most),
  acquire: async (sourceId, holder, now, until) => refreshes.acquire(sourceId, holder, now, until),
  release: async (sourceId, holder) => refreshes.release(sourceId, holder),
});

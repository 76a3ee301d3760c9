export { type DeliverSavesDeps, type Delivery, deliverSaves } from './deliver-saves.ts';
export type { LazyFetchDeps } from './dependencies.ts';
export { type FollowedCatalog, type FollowedRepository, type FollowFeedsDeps, followFeeds } from './follow-feeds.ts';
export { lazyFetch, prepare } from './lazy-fetch.ts';
export * from './model/index.ts';
export * from './operators/index.ts';
export {
  type Lease,
  type RefreshEvent,
  type Refresher,
  type RefreshProgress,
  type RefreshSourcesDeps,
  refreshOnce,
  refreshSources,
} from './refresh-sources.ts';
export { attempts } from './stages/attempts/attempts.ts';
export { createLengths, type Lengths } from './stages/attempts/lengths.ts';
export { candidates } from './stages/candidates.ts';
export { clientTimeout } from './stages/client-timeout.ts';
export { createHealth, type Health, type HealthChange, type SourceHealth } from './stages/health/health.ts';
export { recordHealth } from './stages/health/record-health.ts';
export { createSliceMemory, type SliceMemory } from './stages/hold-slices.ts';
export { keep } from './stages/keep.ts';
export { lookup } from './stages/lookup.ts';
export { report } from './stages/report.ts';
export { requestSave } from './stages/request-save.ts';
export { createSharing, type Sharing } from './stages/share.ts';
export { verify } from './stages/verify.ts';

export { type DeliverSavesDeps, type Delivery, deliverSaves } from './deliver-saves.ts';
export type { LazyFetchDeps } from './dependencies.ts';
export { type FollowedCatalog, type FollowedRepository, type FollowFeedsDeps, followFeeds } from './follow-feeds.ts';
export { lazyFetch, prepare } from './lazy-fetch.ts';
export * from './model/index.ts';
export { follow } from './operators/follow.ts';
export * from './operators/index.ts';
export { given } from './operators/operate.ts';
export { type Lease, type RefreshEvent, type Refresher, type RefreshProgress, refreshOnce } from './refresh-once.ts';
export { type RefreshSourcesDeps, refreshSources } from './refresh-sources.ts';
export { answerFromCatalog } from './stages/answer-from-catalog.ts';
export { attempts } from './stages/attempts/attempts.ts';
export { createLengths, type Lengths } from './stages/attempts/lengths.ts';
export { candidates } from './stages/candidates.ts';
export { clientTimeout } from './stages/client-timeout.ts';
export { earlierRevision } from './stages/earlier-revision.ts';
export { folder } from './stages/folder.ts';
export { handOver } from './stages/hand-over.ts';
export { headFromCatalog } from './stages/head-from-catalog.ts';
export { createHealth, type Health, type HealthChange, type SourceHealth } from './stages/health/health.ts';
export { recordHealth } from './stages/health/record-health.ts';
export { createSliceMemory, holdSlices, type SliceMemory } from './stages/hold-slices.ts';
export { inTime } from './stages/in-time.ts';
export { keep } from './stages/keep.ts';
export { findEntries, lookup } from './stages/lookup.ts';
export { madeFile } from './stages/made-file.ts';
export { multipart } from './stages/multipart.ts';
export { report } from './stages/report.ts';
export { requestSave } from './stages/request-save.ts';
export { share } from './stages/share.ts';
export { createSharing, type Sharing } from './stages/sharing.ts';
export { decorated, type Start, type Transfer, type TransferEvent } from './stages/transfer.ts';
export { verify } from './stages/verify.ts';
export {
  createWarmer,
  type NotWarmed,
  type Wanted,
  type WarmDeps,
  type WarmEvent,
  type WarmRound,
  warm,
} from './warm.ts';

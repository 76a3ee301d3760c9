/**
 * pulp-streamer as an observable source. `createStreamer` opens the streamer without its server.
 * `composeStreamer` runs the same pipeline over a custom catalog and custom sources, with
 * `createDefaults` for its other dependencies. `pulp-streamer/pipelines` has the pipeline, its
 * stages and its operators.
 */
export * from '../pipelines/index.ts';
export {
  composeStreamer,
  type FetchOptions,
  newDigest,
  type PulledStreamer,
  type Streamer,
  type StreamerParts,
} from './app/compose.ts';
export type { Daemon } from './app/daemon.ts';
export { createStreamer, type EmbeddedStreamer, type StreamerOptions } from './app/embedded.ts';
export { createDefaults, type Defaults } from './app/from-settings.ts';
export { createResponder, type Respond, type RespondOptions } from './app/responder.ts';
export { startDaemon } from './app/start-daemon.ts';
export type { OpenStreamer } from './app/streamer.ts';
export { openSqliteCatalog, type SqliteCatalog } from './catalog/sqlite/catalog.ts';
export { ConfigError } from './config/config-error.ts';
export { settingsOf } from './config/from-options.ts';
export type { Duration, Share, Size } from './config/kinds.ts';
export type { EmbeddedOptions, SettingOptions } from './config/options.ts';
export type { Settings } from './config/schema.ts';
export type { FinishedRequest } from './lib/finished-request.ts';
export { createLogger, type LogLevel } from './observe/log.ts';
export { createSaveStore, type SaveStore } from './saves/copies/store.ts';
export { readBytes } from './sources/bytes.ts';
export { feedCandidates } from './sources/feed/candidates.ts';
export { createSources, type Sources } from './sources/open.ts';

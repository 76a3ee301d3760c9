/**
 * pulp-streamer as an observable source. `createStreamer` opens the whole thing without its server; `composeStreamer` runs the
 * same river between banks of your own, `createBanks` makes those that you do not want to build; `pulp-streamer/pipelines` has the river itself, its stages and its operators.
 */
export * from '../pipelines/index.ts';
export { type Banks, createBanks, type SettingOptions } from './banks.ts';
export { openSqliteCatalog, type SqliteCatalog } from './catalog/sqlite.ts';
export { composeStreamer, digest, type FetchOptions, type Streamer, type StreamerParts } from './compose.ts';
export type { Settings } from './config/schema.ts';
export { createStreamer, type StreamerOptions } from './create-streamer.ts';
export { type Daemon, startDaemon } from './daemon.ts';
export { createSaveStore, type SaveStore } from './dispatch/save.ts';
export { createLogger, type LogLevel } from './observe/log.ts';
export { readBytes } from './sources/bytes.ts';
export { feedCandidates } from './sources/feed-candidates.ts';
export { createSources, type Sources } from './sources/open.ts';
export type { OpenStreamer } from './streamer.ts';

import type { Logger } from 'pino';
import type { EmbeddedOptions } from '../config/options.ts';
import type { Settings } from '../config/schema.ts';
import { createLogger } from '../observe/log.ts';
import { type PulledStreamer, pulled } from './compose.ts';
import { settingsOf } from './from-settings.ts';
import { type Respond, responderOf } from './responder.ts';
import type { OpenStreamer } from './streamer.ts';

/** The settings of an embedded streamer, and its logger. */
export interface StreamerOptions extends EmbeddedOptions {
  /** Default: a logger that writes warnings and errors to standard error. */
  readonly logger?: Logger;
}

/** An open streamer that a program embeds. See `createStreamer`. */
export interface EmbeddedStreamer extends OpenStreamer, PulledStreamer, AsyncDisposable {
  readonly respond: Respond;
  readonly settings: Settings;
}

/**
 * Opens the streamer without its server. Neither files in `/etc` nor the environment are read.
 * Rejects with a ConfigError if an option is not valid, and with a StreamError if the catalog
 * cannot be opened. Call `close()` when done, or declare it with `await using`.
 */
export const createStreamer = async ({ logger, ...options }: StreamerOptions = {}): Promise<EmbeddedStreamer> => {
  const settings = settingsOf(options);
  const responder = responderOf(settings);
  // Programs that compose a streamer of their own do not wait for this.
  const { openStreamer } = await import('./streamer.ts');
  const streamer = await openStreamer(settings, logger ?? createLogger('WARNING', process.stderr));
  return {
    ...pulled(streamer),
    respond: responder(streamer.fetchLent),
    settings,
    [Symbol.asyncDispose]: streamer.close,
  };
};

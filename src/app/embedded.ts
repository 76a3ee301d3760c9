import type { Logger } from 'pino';
import { filter } from 'rxjs';
import type { Chunk, StreamEvent } from '../../pipelines/index.ts';
import type { EmbeddedOptions } from '../config/options.ts';
import type { Settings } from '../config/schema.ts';
import { createLogger } from '../observe/log.ts';
import { readBytes } from '../sources/bytes.ts';
import type { FetchOptions } from './compose.ts';
import { settingsOf } from './from-settings.ts';
import { type OpenStreamer, openStreamer } from './streamer.ts';

export interface StreamerOptions extends EmbeddedOptions {
  /** Default: a logger that writes warnings and errors to standard error. */
  readonly logger?: Logger;
}

export interface EmbeddedStreamer extends OpenStreamer {
  /**
   * The body of one path as an async iterable (`for await`, `Readable.from`), with back-pressure.
   * Throws the StreamError of the stream; ends only after a complete and verified body. Leaving the
   * loop early unsubscribes.
   */
  bytes(path: string, options?: Omit<FetchOptions, 'valve'>): AsyncIterable<Uint8Array>;
  readonly settings: Settings;
}

/**
 * Opens the streamer without its server. Neither files in `/etc` nor the environment are read.
 * Rejects with a ConfigError if an option is not valid, and with a StreamError if the catalog
 * cannot be opened. Call `close()` when done.
 */
export const createStreamer = async ({ logger, ...options }: StreamerOptions = {}): Promise<EmbeddedStreamer> => {
  const settings = settingsOf(options);
  const streamer = await openStreamer(settings, logger ?? createLogger('WARNING', process.stderr));
  return {
    ...streamer,
    settings,
    bytes: (path, options) =>
      readBytes((valve) =>
        streamer
          .fetch(path, { ...options, valve })
          .pipe(filter((event: StreamEvent): event is Chunk => event.type === 'chunk')),
      ),
  };
};

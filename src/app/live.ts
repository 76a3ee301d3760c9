import { asyncScheduler, interval, type Observable, Subscription } from 'rxjs';
import type { OpenSource, StreamEvent } from '../../pipelines/index.ts';
import type { Settings } from '../config/schema.ts';
import type { Endpoint } from '../http/admin/endpoint.ts';
import { eventOf, eventStream } from '../http/admin/event-stream.ts';
import { json } from '../http/admin/files.ts';
import type { FinishedRequest } from '../lib/finished-request.ts';
import { framesOf, written } from '../observe/live/frames.ts';
import { createHistory } from '../observe/live/history.ts';
import { createSourceRates, type SourceRates } from '../observe/live/source-rates.ts';
import type { Asked } from '../observe/live/tap.ts';
import { createTiles } from '../observe/live/tiles.ts';
import { createTraffic } from '../observe/live/traffic.ts';
import { createSide } from './live-side.ts';
import { pageFiles } from './page-files.ts';
import { showClientOf } from './show-client.ts';
import type { OpenStreamer } from './streamer.ts';

/** What watches the daemon for the live page and `top`. */
export interface Live {
  /** Sees the sources that requests open. */
  readonly counting: (open: OpenSource) => OpenSource;
  /** Bytes that came from sources over the network, by kind. */
  readonly fetched: SourceRates['fetched'];
  /** Sees the events of a request. */
  readonly watched: (asked: Asked, events: Observable<StreamEvent>) => Observable<StreamEvent>;
  /** Starts to remember what was finished, and the tiles' minutes. Unsubscribing stops. */
  start(streamer: OpenStreamer, finished: Observable<FinishedRequest>): Subscription;
  readonly endpoints: readonly Endpoint[];
}

export const createLive = (settings: Settings): Live => {
  const now = () => asyncScheduler.now();
  const showClient = showClientOf(settings);
  const traffic = createTraffic(now);
  const rates = createSourceRates();
  const history = createHistory(now, showClient);
  const side = createSide(settings, rates);
  const tiles = createTiles({ traffic, received: rates.received, pending: side.pending });
  const frames = framesOf({
    ...{ traffic, tiles, showClient, scheduler: asyncScheduler },
    side: side.read,
    prefixOf: side.prefixOf,
  });
  const events = written(side.measured(frames), eventOf);

  return {
    counting: rates.counting,
    fetched: rates.fetched,
    watched: (asked, events) => traffic.watched(asked, events),
    start: (streamer, finished) => {
      side.open(streamer);
      const running = new Subscription();
      running.add(interval(1000).subscribe(tiles.second));
      for (const one of [tiles, history, rates]) running.add(finished.subscribe(one.finished));
      running.add(streamer.deliveries.subscribe(side.delivered));
      running.add(streamer.ready.subscribe(side.ready));
      return running;
    },
    endpoints: [
      ...pageFiles(),
      eventStream('/events', events),
      json('/history', (query) => {
        const id = query.get('id');
        return id === null ? history.list() : history.find(id);
      }),
    ],
  };
};

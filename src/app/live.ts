import { asyncScheduler, interval, type Observable, Subscription } from 'rxjs';
import type { Settings } from '../config/schema.ts';
import type { Endpoint } from '../http/admin/endpoint.ts';
import { eventOf, eventStream } from '../http/admin/event-stream.ts';
import { json } from '../http/admin/files.ts';
import type { FinishedRequest } from '../lib/finished-request.ts';
import type { ByteCounter } from '../observe/count-bytes.ts';
import { framesOf, written } from '../observe/live/frames.ts';
import type { History } from '../observe/live/history.ts';
import type { Mirror } from '../observe/live/mirror.ts';
import { createPast } from '../observe/live/past.ts';
import type { SourceRates } from '../observe/live/source-rates.ts';
import { createTiles } from '../observe/live/tiles.ts';
import { createTraffic, type SeenTraffic, type Traffic } from '../observe/live/traffic.ts';
import { createSide, type Others } from './live-side.ts';
import { pageFiles } from './page-files.ts';
import { showClientOf } from './show-client.ts';
import type { OpenStreamer } from './streamer.ts';

/** What watches the daemon for the live page and `top`. */
export interface Live {
  /** Sees the sources that requests open. */
  readonly counter: ByteCounter;
  /** Bytes that came from sources over the network, by kind. */
  readonly fetched: SourceRates['fetched'];
  /** Follows a request from its start; absent if other processes answer them all. */
  readonly enter?: Traffic['enter'];
  /** Starts to remember what was finished, and the tiles' minutes. Unsubscribing stops. */
  start(streamer: OpenStreamer, finished: Observable<FinishedRequest>): Subscription;
  readonly endpoints: readonly Endpoint[];
}

/** `told`: the reports of the daemon's workers, if they answer the requests. */
export const openLive = (settings: Settings, told?: Told): Live =>
  told ? createLiveOf(settings, told) : createLive(settings);

const createLive = (settings: Settings): Live => {
  const now = Date.now;
  const traffic = createTraffic(now);
  const { history, rates, ...past } = createPast(now, showClientOf(settings));
  const { tiles, ...board } = createBoard(settings, {
    traffic,
    received: rates.received,
    sources: rates.list,
    history,
  });

  return {
    counter: rates.counter,
    fetched: rates.fetched,
    enter: (asked, progress) => traffic.enter(asked, progress),
    start: (streamer, finished) => {
      const running = board.start(streamer);
      running.add(
        finished.subscribe((one) => {
          tiles.finished();
          past.finished(one);
        }),
      );
      return running;
    },
    endpoints: board.endpoints,
  };
};

/** What other processes report of their requests. */
export interface Told {
  readonly mirror: Mirror;
  /** Emits the requests that were finished since the last time. */
  readonly finished: Observable<number>;
  readonly history: AskedHistory;
}

const createLiveOf = (settings: Settings, { mirror, finished, history }: Told): Live => {
  const { tiles, ...board } = createBoard(settings, {
    ...{ traffic: mirror, sources: mirror.sources, history },
    received: () => mirror.received,
    others: () => ({
      ...{ memory: mirror.memory(), buffers: mirror.buffers(), delay: mirror.delay() },
      workers: mirror.processes(),
    }),
  });
  return {
    counter: {},
    // The workers count theirs.
    fetched: () => [['metadata', 0]],
    start: (streamer) => {
      const running = board.start(streamer);
      running.add(finished.subscribe(tiles.finished));
      return running;
    },
    endpoints: board.endpoints,
  };
};

/** The history, perhaps that of other processes. Does not reject. */
interface AskedHistory {
  list(): ReturnType<History['list']> | Promise<ReturnType<History['list']>>;
  find(id: string): ReturnType<History['find']> | Promise<ReturnType<History['find']>>;
}

interface Observed {
  readonly traffic: SeenTraffic;
  /** Bytes that came from feeds. */
  readonly received: () => number;
  readonly sources: SourceRates['list'];
  readonly history: AskedHistory;
  /** What other processes of the daemon use. */
  readonly others?: () => Others;
}

/** What viewers get: frames of the traffic, and the history. */
const createBoard = (settings: Settings, { traffic, received, sources, history, others }: Observed) => {
  const side = createSide(settings, sources, others);
  const tiles = createTiles({ traffic, received, pending: side.pending });
  const frames = framesOf({
    ...{ traffic, tiles, showClient: showClientOf(settings), scheduler: asyncScheduler },
    side: side.read,
    prefixOf: side.prefixOf,
  });
  const events = written(side.measured(frames), eventOf);
  return {
    tiles,
    start: (streamer: OpenStreamer): Subscription => {
      side.open(streamer);
      const running = new Subscription();
      running.add(interval(1000).subscribe(tiles.second));
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

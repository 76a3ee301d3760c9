import { monitorEventLoopDelay } from 'node:perf_hooks';
import { interval, type Observable, type Subscription } from 'rxjs';
import type { Settings } from '../../config/schema.ts';
import type { FinishedRequest } from '../../lib/finished-request.ts';
import { bufferBytes } from '../../lib/lent-buffers.ts';
import type { History } from '../../observe/live/history.ts';
import { createPast } from '../../observe/live/past.ts';
import { createTraffic } from '../../observe/live/traffic.ts';
import { reportTraffic } from '../../observe/live/traffic-news.ts';
import type { Live } from '../live.ts';
import { showClientOf } from '../show-client.ts';
import type { MasterCalls } from './calls.ts';
import type { Peer } from './channel.ts';

/** Milliseconds between two sums, and between two news while somebody looks. */
const SUMS = 1000;
const NEWS = 200;
/** Milliseconds between two measurements of the event loop: so much is its delay at least. */
const RESOLUTION = 10;
const NANOSECONDS = 1e6;

/** What watches the requests of a worker for the live page, which the master has. */
export interface LiveOfWorker extends Pick<Live, 'counter' | 'enter' | 'fetched'> {
  readonly history: History;
  /** Whether somebody looks. */
  look(wanted: boolean): void;
  /** Remembers what is finished, and tells the sums. Unsubscribing stops. */
  start(finished: Observable<FinishedRequest>): Subscription;
}

export const createLiveOfWorker = (settings: Settings, master: Peer<MasterCalls>): LiveOfWorker => {
  const now = Date.now;
  const traffic = createTraffic(now);
  const { history, rates, ...past } = createPast(now, showClientOf(settings));
  let requests = 0;
  let before = { requests: 0, bytes: 0, received: 0, resumed: 0, replaced: 0, cut: 0 };
  let looking: Subscription | undefined;

  const tellSums = () => {
    const { bytes, resumed, replaced, cut } = traffic;
    const sums = { requests, bytes, received: rates.received(), resumed, replaced, cut };
    const since = (name: keyof typeof sums) => sums[name] - before[name];
    master.tell('sums', {
      ...{ requests: since('requests'), bytes: since('bytes'), received: since('received') },
      ...{ resumed: since('resumed'), replaced: since('replaced'), cut: since('cut') },
      ...{ memory: process.memoryUsage.rss(), buffers: bufferBytes().lent },
      ...traffic.count(),
    });
    before = sums;
  };

  const tellNews = (): Subscription => {
    const report = reportTraffic(traffic);
    const lag = monitorEventLoopDelay({ resolution: RESOLUTION });
    lag.enable();
    const told = interval(NEWS).subscribe(() => {
      const delay = lag.count > 0 ? Math.max(0, lag.percentile(99) / NANOSECONDS - RESOLUTION) : 0;
      master.tell('news', { ...report.take(now()), sources: rates.list(), delay });
    });
    told.add(report.close);
    told.add(() => lag.disable());
    return told;
  };

  return {
    counter: rates.counter,
    fetched: rates.fetched,
    enter: (asked, progress) => traffic.enter(asked, progress),
    history,
    look: (wanted) => {
      looking?.unsubscribe();
      looking = wanted ? tellNews() : undefined;
    },
    start: (finished) => {
      const running = interval(SUMS).subscribe(tellSums);
      running.add(() => looking?.unsubscribe());
      running.add(
        finished.subscribe((one) => {
          requests += 1;
          past.finished(one);
        }),
      );
      return running;
    },
  };
};

import { asyncScheduler, defer, finalize, ignoreElements, map, NEVER, type Observable, of, startWith } from 'rxjs';
import { refreshSources } from '../../pipelines/index.ts';
import { diagram } from '../support/marble-diagram.ts';

const SOURCE = { id: 'a' };
const LIFE = 10;

/** A catalog without offers at first; each refresh brings offers for a while. */
export const beforeTheyExpire = diagram({
  operator: 'refreshSources',
  file: 'pipelines/refresh-sources.ts',
  note: 's started, d done; offers last for 10',
  sources: {
    sources: { marble: 'a------------------' },
    'refresh 1': { marble: '--|', window: '^-!' },
    'refresh 2': { marble: '--|', window: '----------^-!' },
  },
  results: { result: { marble: 's-d-------s-d----', from: '^----------------!' } },
  measured: [2, 10],
  make: (sources) => {
    let until = 0;
    const renewing = (refresh: Observable<string>) =>
      refresh.pipe(
        ignoreElements(),
        finalize(() => {
          until = asyncScheduler.now() + LIFE;
        }),
      );
    const refreshes = [sources['refresh 1'], sources['refresh 2']].map(renewing);
    const events = refreshSources({
      sources: sources.sources.pipe(map(() => [SOURCE])),
      freshFor: () => defer(() => of(Math.max(0, until - asyncScheduler.now()))),
      refresh: () => refreshes.shift() ?? NEVER,
      lease: () => NEVER.pipe(startWith(true)),
      concurrency: 1,
      spread: 0,
      wait: 1,
      waitLimit: 1,
      random: () => 0,
    });
    return { result: events.pipe(map(({ type }) => type.charAt(0))) };
  },
});

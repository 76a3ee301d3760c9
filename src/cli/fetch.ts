import type { Command } from 'commander';
import {
  BehaviorSubject,
  fromEvent,
  type MonoTypeOperatorFunction,
  merge,
  type Observable,
  ReplaySubject,
  switchMap,
  takeUntil,
  tap,
  throwError,
} from 'rxjs';
import { type Report, StreamError, type StreamEvent } from '../../pipelines/index.ts';
import { openStreamer } from '../app/streamer.ts';
import { maskUrl } from '../lib/mask.ts';
import { safeJson } from '../lib/safe-json.ts';
import { createLogger } from '../observe/log.ts';
import { oneLine } from './one-line.ts';
import { type Output, openOutput } from './output/output.ts';
import { progressBar } from './progress.ts';
import { settingsOf, withSettings } from './settings.ts';

export const addFetch = (fetch: Command): void => {
  withSettings(
    fetch
      .option(
        '-o, --output <file>',
        'output: a file appears once it is complete; a device, FIFO or socket is written to directly; - is standard output (default)',
      )
      .option('--json', 'print the report as JSON to standard error'),
    ['stateDir', 'catalog', 'saveDir', 'contentSourcesDir', 'logLevel'],
  ).action(async (path: string, options: { output?: string; json?: boolean }, command: Command) => {
    const { settings } = settingsOf(command);
    // First, because it may wait for the reader of a FIFO.
    using output = await openOutput(options.output);
    using interruption = listenForInterruption();
    const streamer = await openStreamer(settings, createLogger(settings.logLevel, process.stderr), {
      delivering: false,
    });
    try {
      const valve = new BehaviorSubject(true);
      const events = streamer
        .fetch(path, { valve, save: false })
        .pipe(refuseFolder(path), takeUntil(interruption.error));
      const report = await writeTo(output, valve, events);
      await output.finish();
      process.stderr.write(options.json ? `${toJson(report)}\n` : `${oneLine(summary(report))}\n`);
    } finally {
      await streamer.close();
    }
  });
};

/** A redirect has no content: without this, it would become an empty file. */
const refuseFolder = (path: string): MonoTypeOperatorFunction<StreamEvent> =>
  tap((event) => {
    if (event.type === 'head' && event.status === 301)
      throw new StreamError('NOT_IN_CATALOG', 'catalog', `${path} is a folder, expected a file or ${path}/`);
  });

/**
 * Listens at once for signals to stop, before there is an unfinished file: a signal that nobody
 * listens for ends the process on the spot. `error` errors with the first of them, also if it came
 * before the subscription, so that unfinished files are removed as after any other failure.
 */
const listenForInterruption = (): Disposable & { readonly error: Observable<never> } => {
  const signals = new ReplaySubject<unknown>(1);
  const listening = merge(fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM')).subscribe(signals);
  return {
    error: signals.pipe(switchMap(() => throwError(() => new Error('interrupted')))),
    [Symbol.dispose]: () => listening.unsubscribe(),
  };
};

const toJson = (report: Report): string =>
  safeJson(JSON.stringify(report, (_, value: unknown) => (typeof value === 'string' ? maskUrl(value) : value)));

/**
 * Resolves to the report once everything is written; rejects with the error of the stream or the
 * output.
 */
const writeTo = (output: Output, valve: BehaviorSubject<boolean>, events: Observable<StreamEvent>): Promise<Report> =>
  new Promise((resolve, reject) => {
    const out = output.start();
    const bar = progressBar(process.stderr);
    let received = 0;
    let total: number | undefined;
    const subscription = events.subscribe({
      next: (event) => {
        if (event.type === 'head') total = event.length;
        if (event.type === 'chunk') {
          received += event.bytes.length;
          bar.update(received, total);
          if (!out.write(event.bytes)) valve.next(false);
        }
        if (event.type === 'end') {
          bar.stop();
          resolve(event.report);
        }
      },
      error: (error) => {
        bar.stop();
        reject(error);
      },
    });
    out.on('drain', () => valve.next(true));
    out.on('error', (error) => {
      subscription.unsubscribe();
      reject(output.explain(error));
    });
  });

const summary = ({ bytes, duration, source, verified }: Report): string =>
  `${bytes} bytes from ${source} in ${Math.round(duration)} ms${verified ? `, ${verified} verified` : ', no checksum known'}`;

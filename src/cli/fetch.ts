import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { BehaviorSubject, fromEvent, merge, type Observable, switchMap, takeUntil, throwError } from 'rxjs';
import type { Report, StreamEvent } from '../../pipelines/index.ts';
import { createLogger } from '../observe/log.ts';
import { maskUrl } from '../observe/mask.ts';
import { openStreamer } from '../streamer.ts';
import { progressBar } from './progress.ts';
import { settingsOf, withSettings } from './settings.ts';

export const addFetch = (program: Command): void => {
  withSettings(
    program
      .command('fetch <path>')
      .description('fetch a path through the same pipeline, without the server')
      .option('-o, --output <file>', 'where to write it; standard output unless given')
      .option('--json', 'print the report as JSON to standard error'),
    ['stateDir', 'catalog', 'saveDir', 'contentSourcesDir', 'logLevel'],
  ).action(async (path: string, options: { output?: string; json?: boolean }, command: Command) => {
    const { settings } = settingsOf(command);
    const streamer = await openStreamer(settings, createLogger(settings.logLevel, process.stderr), {
      delivering: false,
    });
    const partial = options.output && `${options.output}.partial`;
    const out = partial ? createWriteStream(partial) : process.stdout;
    try {
      const valve = new BehaviorSubject(true);
      const events = streamer.fetch(path, { valve, record: false }).pipe(takeUntil(interruption));
      const report = await writeTo(out, valve, events);
      if (partial && options.output) await rename(partial, options.output);
      process.stderr.write(options.json ? `${toJson(report)}\n` : `${summary(report)}\n`);
    } finally {
      // What is not whole and right must not lie about as if it were.
      if (partial) await rm(partial, { force: true });
      await streamer.close();
    }
  });
};

/** Errors with the first signal to stop: what was half done is then cleared away like after any other failure. */
const interruption = merge(fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM')).pipe(
  switchMap(() => throwError(() => new Error('interrupted'))),
);

const toJson = (report: Report): string =>
  JSON.stringify(report, (_, value: unknown) => (typeof value === 'string' ? maskUrl(value) : value));

/** Resolves to the report once everything is written; rejects with the stream's or the file's error. */
const writeTo = (out: Writable, valve: BehaviorSubject<boolean>, events: Observable<StreamEvent>): Promise<Report> =>
  new Promise((resolve, reject) => {
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
          if (out === process.stdout) resolve(event.report);
          else out.end(() => resolve(event.report));
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
      reject(error);
    });
  });

const summary = ({ bytes, duration, source, verified }: Report): string =>
  `${bytes} bytes from ${source} in ${Math.round(duration)} ms${verified ? `, ${verified} verified` : ', no checksum known'}`;

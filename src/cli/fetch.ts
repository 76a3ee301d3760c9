import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { BehaviorSubject, type Observable } from 'rxjs';
import type { Report, StreamEvent } from '../../pipelines/index.ts';
import { createLogger } from '../observe/log.ts';
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
      const report = await writeTo(out, valve, streamer.fetch(path, { valve, record: false }));
      if (partial && options.output) await rename(partial, options.output);
      process.stderr.write(options.json ? `${JSON.stringify(report)}\n` : `${summary(report)}\n`);
    } finally {
      // What is not whole and right must not lie about as if it were.
      if (partial) await rm(partial, { force: true });
      await streamer.close();
    }
  });
};

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

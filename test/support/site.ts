import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filter, firstValueFrom, map, type Observable, shareReplay, take, toArray } from 'rxjs';
import { bundledPackage } from './bundle.ts';
import { type Finished, lineOf, ownEnvironment, type Running, type Start, succeeded } from './run-process.ts';

/** One line of the daemon's log. */
export interface LogLine {
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** The real daemon in a separate process. */
export interface DaemonProcess extends Running {
  /** Without a slash at its end. */
  readonly url: string;
  /** Every line of its log, from the first on. */
  readonly log: Observable<LogLine>;
  /**
   * Resolves once `count` lines with this message and these fields were written. A field's expected
   * value may be a pattern.
   */
  logged(msg: string, fields?: Readonly<Record<string, unknown>>, count?: number): Promise<LogLine[]>;
  /** Sends SIGTERM. Resolves to its status and output. */
  stop(): Promise<Finished>;
}

/**
 * A pulp-streamer with its configuration file and folder, used through the command line as
 * operators do.
 */
export interface Site {
  readonly stateDir: string;
  readonly config: string;
  /** Starts any command with the site's configuration. */
  start(...args: string[]): Running;
  /** Runs a command that must succeed. Resolves to its output. */
  run(...args: string[]): Promise<string>;
  /** Starts the daemon. Resolves when it is ready. */
  serve(...args: string[]): Promise<DaemonProcess>;
}

const PACKAGE = bundledPackage();
/** The launcher of the bundled command line, as users install it. */
export const MAIN = join(PACKAGE, 'dist/cli/launcher.cjs');
/** Node's cache of the compiled bundle: it halves the start of a process once more. */
export const COMPILED = join(PACKAGE, 'compiled');

/** The command line of this project with Node, without any configuration. */
export const pulpStreamer = (start: Start, ...args: string[]): Running =>
  start(process.execPath, [MAIN, ...args], { env: { ...ownEnvironment(), NODE_COMPILE_CACHE: COMPILED } });

/** Settings are spelled as in a configuration file. */
export const makeSite = (
  start: Start,
  folder: string,
  settings: Readonly<Record<string, string | number>> = {},
): Site => {
  const stateDir = join(folder, 'state');
  const config = join(folder, 'streamer.conf');
  const sources = join(folder, 'conf.d');
  mkdirSync(sources, { recursive: true });
  const all = { port: 0, interfaces: '127.0.0.1', state_dir: stateDir, content_sources_dir: sources, ...settings };
  const lines = Object.entries(all).map(([key, value]) => `${key}: ${value}\n`);
  writeFileSync(config, `[streamer]\n${lines.join('')}`);
  // Last, because --config takes several files.
  const run = (...args: string[]) => pulpStreamer(start, ...args, '--config', config);
  return {
    stateDir,
    config,
    start: run,
    run: async (...args) => (await succeeded(run(...args))).stdout.toString(),
    serve: (...args) => ready(run('serve', ...args)),
  };
};

const fits = (found: unknown, wanted: unknown): boolean =>
  wanted instanceof RegExp ? wanted.test(String(found)) : found === wanted;

const ready = async (running: Running): Promise<DaemonProcess> => {
  const log = running.lines.pipe(
    map((line) => JSON.parse(line) as LogLine),
    shareReplay(),
  );
  const line = JSON.parse(await lineOf(running, (text) => text.includes('"msg":"ready"')));
  const [, address, port] = /^(.*) port (\d+)$/.exec(line.listening[0]) ?? [];
  return {
    ...running,
    url: `http://${address}:${port}`,
    log,
    logged: async (msg, fields = {}, count = 1) => {
      const found = await firstValueFrom(
        log.pipe(
          filter(
            (line) => line.msg === msg && Object.entries(fields).every(([name, value]) => fits(line[name], value)),
          ),
          take(count),
          toArray(),
        ),
      );
      if (found.length === count) return found;
      throw new Error(`ended after ${found.length} of ${count} lines '${msg}' with ${JSON.stringify(fields)}`);
    },
    stop: () => {
      running.kill('SIGTERM');
      return running.ended;
    },
  };
};

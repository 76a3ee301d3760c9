import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Running } from './run-process.ts';
import { until } from './until.ts';

/**
 * A real proxy in front of a streamer, in a separate process, with a configuration from
 * `examples/`.
 */
export interface Peer {
  /** Without a slash at its end. */
  readonly url: string;
}

/**
 * Resolves once a proxy accepts connections on a port of the loopback interface. Rejects with its
 * output if it ends first.
 */
export const listening = async (running: Running, port: number, logFile?: string): Promise<void> => {
  let over = false;
  const failing = running.ended
    .finally(() => {
      over = true;
    })
    .then(({ status, stdout, stderr }) => {
      throw new Error(`ended with ${status}\n${stdout}\n${stderr}\n${logFile ? written(logFile) : ''}`);
    });
  await Promise.race([until(async () => over || accepts(port)), failing]);
  failing.catch(() => {}); // From now on the caller awaits its end.
};

/** The content of a log so far. */
export const written = (file: string): string => readFileSync(file, { encoding: 'utf8', flag: 'a+' });

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const tell = (well: boolean) => () => {
      socket.destroy();
      resolve(well);
    };
    socket.on('connect', tell(true)).on('error', tell(false));
  });

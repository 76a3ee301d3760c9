import cluster from 'node:cluster';
import { type Observable, ReplaySubject } from 'rxjs';
import type { MasterCalls, WorkerCalls } from './calls.ts';
import { connectPeer, type Message, type Peer } from './channel.ts';
import { PROGRAM } from './program.ts';

/** A worker as the master sees it. */
export interface WorkerProcess {
  readonly pid: number;
  readonly peer: Peer<WorkerCalls>;
  /** Emits the signal or status that it ended with, also to those who subscribe later; then completes. */
  readonly ended: Observable<string>;
  kill(): void;
}

/**
 * Forks a worker, which waits for its start. The workers share their listening sockets: the kernel
 * gives each connection to one of those that ask for one, and a connection that none has accepted yet
 * outlives each of them.
 */
export const forkWorker = (own: MasterCalls): WorkerProcess => {
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({
    exec: PROGRAM,
    args: [],
    execArgv: [...new Set([...process.execArgv, '--disable-sigusr1', '--disable-warning=ExperimentalWarning'])],
    serialization: 'advanced',
  });
  const worker = cluster.fork();
  // Why it could not be forked; it has ended then.
  worker.on('error', () => {});
  const peer = connectPeer<WorkerCalls, MasterCalls>(
    {
      // What an ended worker does not get is over with it: see `ended`.
      send: (message) => worker.send(message, () => {}),
      onMessage: (take) => worker.on('message', (message: Message) => take(message)),
    },
    own,
  );
  const ended = new ReplaySubject<string>(1);
  worker.once('exit', (status: number | null, signal: string | null) => {
    ended.next(signal ?? `status ${status}`);
    ended.complete();
  });
  return {
    pid: worker.process.pid ?? 0,
    peer,
    ended,
    kill: () => worker.process.kill('SIGKILL'),
  };
};

import { fork } from 'node:child_process';
import { type Observable, ReplaySubject } from 'rxjs';
import type { OpenSocket } from '../../lib/open-socket.ts';
import { messageOf } from '../../lib/thrown.ts';
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

/** The first descriptor after those of every worker. */
const FIRST = 4;

/** The same sockets, as a worker has them. */
export const inWorker = (sockets: readonly OpenSocket[]): readonly OpenSocket[] =>
  sockets.map(({ name }, index) => ({ fd: FIRST + index, name }));

/**
 * Forks a worker, which gets the sockets and waits for its start. The workers share them: the kernel
 * gives each connection to one of those that ask for one, and a connection that none has accepted yet
 * outlives all of them.
 */
export const forkWorker = (own: MasterCalls, sockets: readonly OpenSocket[]): WorkerProcess => {
  const worker = fork(PROGRAM, [], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc', ...sockets.map(({ fd }) => fd)],
    execArgv: [...new Set([...process.execArgv, '--disable-sigusr1', '--disable-warning=ExperimentalWarning'])],
    serialization: 'advanced',
  });
  const ended = new ReplaySubject<string>(1);
  const end = (how: string) => {
    ended.next(how);
    ended.complete();
  };
  worker.once('exit', (status, signal) => end(signal ?? `status ${status}`));
  worker.on('error', (error) => {
    // It could not be forked, and does not exit.
    if (worker.pid === undefined) end(messageOf(error));
  });
  const peer = connectPeer<WorkerCalls, MasterCalls>(
    {
      // What an ended worker does not get is over with it: see `ended`.
      send: (message) => worker.send(message, () => {}),
      onMessage: (take) => worker.on('message', (message: Message) => take(message)),
    },
    own,
  );
  return {
    pid: worker.pid ?? 0,
    peer,
    ended,
    kill: () => worker.kill('SIGKILL'),
  };
};

import { chmodSync, chownSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { lockFile } from '../../lib/lock-file.ts';
import { inheritSocket, makeFolder } from '../../lib/private-files.ts';
import type { HttpServer } from '../listeners.ts';

/** Bytes of the longest path: the system takes 107, and a new socket first has a longer name. */
export const LONGEST_SOCKET_PATH = 103;

interface Where {
  readonly path: string;
  /** The number of the group that may connect as well. Absent: only the owner. */
  readonly group?: number;
}

/**
 * Listens on a unix socket that only the permitted can connect to. The socket of a daemon that no
 * longer runs is replaced, in one step; one on which anything listens never is. Rejects, with the
 * system's error or one that says what is there, if it cannot. The returned function removes the
 * socket and stops listening.
 */
export const openControlSocket = async (server: HttpServer, { path, group }: Where): Promise<() => Promise<void>> => {
  await makeFolder(dirname(path));
  // Of two daemons that start at once, both would find the socket unused.
  const lock = lockFile(`${path}.lock`);
  if (!lock) throw new Error(`another pulp-streamer answers at ${path}`);
  const close = async () => {
    await server.stop(0);
    lock.release();
  };
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found && !found.isSocket()) throw new Error(`expected a socket at ${path}, or nothing; found something else`);
    if (found && (await isAnswered(path))) throw new Error(`another program listens on ${path}`);
    const next = `${path}.new`;
    rmSync(next, { force: true });
    await server.listenAt(next);
    inheritSocket(next);
    chmodSync(next, group === undefined ? 0o600 : 0o660);
    if (group !== undefined) chownSync(next, lstatSync(next).uid, group);
    renameSync(next, path);
  } catch (error) {
    await close();
    throw error;
  }
  return async () => {
    rmSync(path, { force: true });
    await close();
  };
};

const isAnswered = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    // Without permission it is unknown, and then it is not replaced.
    socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });

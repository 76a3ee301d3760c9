import type { OpenSocket } from '../lib/open-socket.ts';

/** Sockets that systemd opened, and keeps open while the daemon restarts (`sd_listen_fds(3)`). */
export interface InheritedSockets {
  /** For requests. If there are none, the daemon opens its own. */
  readonly main: readonly OpenSocket[];
  /** For the admin listener: those whose `FileDescriptorName=` is `admin`. */
  readonly admin: readonly OpenSocket[];
}

/** The first descriptor after standard input, output and error. */
const FIRST = 3;

/**
 * Takes the sockets out of the environment, so that no child process takes them as well. They are
 * meant for the process of LISTEN_PID alone.
 */
export const takeSockets = (env: NodeJS.ProcessEnv, pid: number): InheritedSockets => {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES = '' } = env;
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID']) delete env[name];
  const count = LISTEN_PID === String(pid) ? Number(LISTEN_FDS) || 0 : 0;
  const names = LISTEN_FDNAMES.split(':');
  const sockets = Array.from({ length: count }, (_, index) => ({ fd: FIRST + index, name: names[index] ?? '' }));
  return {
    main: sockets.filter(({ name }) => name !== ADMIN),
    admin: sockets.filter(({ name }) => name === ADMIN),
  };
};

const ADMIN = 'admin';

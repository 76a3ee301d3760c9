import { spawn } from 'node:child_process';

/** Sends variables to the service manager. Calls back when they arrived, or with the reason why not. */
export type Send = (variables: readonly string[], done: (error?: Error) => void) => void;

/** What systemd knows of the daemon, by `sd_notify(3)`. Nothing here waits, and nothing throws. */
export interface Notifier {
  /** The start or a reload is over. */
  ready(): void;
  /** The configuration is being read again; `ready` must follow. */
  reloading(): void;
  /** The daemon stops, within this number of milliseconds. */
  stopping(within: number): void;
}

interface Options {
  readonly env: NodeJS.ProcessEnv;
  readonly pid: number;
  /** One line for `systemctl status`. */
  readonly status: () => string;
  /** Called once, with the first reason why systemd could not be notified. */
  readonly onError: (error: Error) => void;
  readonly send?: Send;
}

/** Milliseconds between two notifications about nothing but the status. */
const STATUS_EVERY = 30_000;
/** Milliseconds between two notifications that the daemon still stops. */
const STOPPING_EVERY = 2_000;
/** Milliseconds after which a notification that has not arrived is given up. */
const GIVEN_UP = 10_000;
/** Milliseconds that the daemon may need to end after its last transfer. */
const ENDING = 15_000;

type Kind = 'READY' | 'RELOADING' | 'WATCHDOG';

/**
 * Takes the address of the service manager out of the environment, and notifies it from then on.
 * `undefined` without one: the daemon is not a service, or not one of `Type=notify`.
 *
 * Node has no datagram sockets of the kind, so the program `systemd-notify` sends for it. One runs
 * at a time. What is to be sent in the meantime waits: of each kind the last only, so at most three.
 * Only the end waits for nothing. If the unit has a watchdog, it is notified twice in its time, from the event loop: a
 * daemon that hangs is not.
 */
export const openNotifier = ({
  env,
  pid,
  status,
  onError,
  send = throughProgram(env),
}: Options): Notifier | undefined => {
  const watchdog = env.WATCHDOG_PID === undefined || env.WATCHDOG_PID === String(pid) ? Number(env.WATCHDOG_USEC) : 0;
  const address = env.NOTIFY_SOCKET;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  if (!address) return undefined;

  const waiting = new Map<Kind, readonly string[]>();
  let sending = false;
  let failed = false;
  let lastStatus = '';

  const sent = (variables: readonly string[], next: () => void) => {
    lastStatus = status();
    send([...variables, `STATUS=${lastStatus}`], (error) => {
      if (error && !failed) onError(error);
      failed ||= error !== undefined;
      next();
    });
  };
  const proceed = () => {
    const [next] = waiting;
    if (sending || !next) return;
    const [kind, variables] = next;
    waiting.delete(kind);
    sending = true;
    sent(variables, () => {
      sending = false;
      proceed();
    });
  };
  const notify = (kind: Kind, ...variables: readonly string[]) => {
    // Behind what waits: the order of the last ones counts.
    waiting.delete(kind);
    waiting.set(kind, variables);
    proceed();
  };

  const timer = setInterval(
    () => {
      if (watchdog > 0) notify('WATCHDOG', 'WATCHDOG=1');
      else if (status() !== lastStatus) notify('WATCHDOG');
    },
    Math.min(STATUS_EVERY, watchdog > 0 ? watchdog / 2000 : STATUS_EVERY),
  ).unref();

  return {
    ready: () => notify('READY', 'READY=1'),
    // The clock of systemd, by which it knows which reload this is.
    reloading: () => notify('RELOADING', 'RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    stopping: (within) => {
      clearInterval(timer);
      waiting.clear();
      const end = performance.now() + within + ENDING;
      let telling = false;
      const tell = () => {
        telling = true;
        const left = Math.max(0, Math.round(end - performance.now()));
        sent(['STOPPING=1', `EXTEND_TIMEOUT_USEC=${left * 1000}`], () => {
          telling = false;
        });
      };
      // Does not wait for its turn: the process may end before.
      tell();
      // systemd ignores what comes of a program that has ended, as on a busy machine. It would cut the transfers.
      setInterval(() => {
        if (!telling) tell();
      }, STOPPING_EVERY).unref();
    },
  };
};

/** The environment of the program: it needs nothing else. */
const throughProgram =
  ({ NOTIFY_SOCKET, PATH }: NodeJS.ProcessEnv): Send =>
  (variables, done) => {
    // Every version of the program sends variables; `--stopping` and others are new in some.
    const child = spawn('systemd-notify', variables, { env: { NOTIFY_SOCKET, PATH }, stdio: 'ignore' });
    const late = setTimeout(() => child.kill('SIGKILL'), GIVEN_UP).unref();
    const over = (error?: Error) => {
      clearTimeout(late);
      done(error);
    };
    child.once('error', over);
    child.once('exit', (status, signal) =>
      over(status === 0 ? undefined : new Error(`systemd-notify ended with ${signal ?? status}`)),
    );
    // The daemon ends without waiting for it.
    child.unref();
  };

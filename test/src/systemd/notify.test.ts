import { describe, expect, it, jest } from '@jest/globals';
import { openNotifier } from '../../../src/systemd/notify.ts';
import { takeSockets } from '../../../src/systemd/sockets.ts';

const noted = (env: NodeJS.ProcessEnv = { NOTIFY_SOCKET: '/run/notify' }) => {
  const sent: string[] = [];
  const errors: string[] = [];
  const over: ((error?: Error) => void)[] = [];
  const notifier = openNotifier({
    env,
    pid: 7,
    status: () => 'well',
    onError: ({ message }) => errors.push(message),
    send: (variables, done) => {
      sent.push(variables.map((one) => one.replace(/USEC=\d+/, 'USEC')).join(' '));
      over.push(done);
    },
  });
  return { notifier, sent, errors, over, env };
};

describe('openNotifier', () => {
  it('sends one notification at a time, and the last of each kind in their order', () => {
    const { notifier, sent, over } = noted();
    notifier?.ready();
    for (let reload = 0; reload < 3; reload += 1) {
      notifier?.reloading();
      notifier?.ready();
    }
    expect(sent).toEqual(['READY=1 STATUS=well']);
    while (over.length > 0) over.shift()?.();
    expect(sent.slice(1)).toEqual(['RELOADING=1 MONOTONIC_USEC STATUS=well', 'READY=1 STATUS=well']);
    notifier?.stopping(0);
  });

  it('sends the end at once, and nothing after it', () => {
    const { notifier, sent, over } = noted();
    notifier?.ready();
    notifier?.reloading();
    notifier?.stopping(1000);
    while (over.length > 0) over.shift()?.();
    expect(sent).toEqual(['READY=1 STATUS=well', 'STOPPING=1 EXTEND_TIMEOUT_USEC STATUS=well']);
  });

  it('repeats that it stops, with the time that is left: systemd may have missed it', () => {
    jest.useFakeTimers();
    try {
      const sent: string[] = [];
      const over: (() => void)[] = [];
      const notifier = openNotifier({
        ...{ env: { NOTIFY_SOCKET: '/run/notify' }, pid: 7, status: () => 'well', onError: () => {} },
        send: ([, extend = ''], done) => {
          sent.push(extend);
          over.push(done);
        },
      });
      notifier?.stopping(60_000);
      jest.advanceTimersByTime(10_000);
      expect(sent).toEqual(['EXTEND_TIMEOUT_USEC=75000000']);
      over.shift()?.();
      jest.advanceTimersByTime(2_000);
      expect(sent).toEqual(['EXTEND_TIMEOUT_USEC=75000000', 'EXTEND_TIMEOUT_USEC=63000000']);
    } finally {
      jest.useRealTimers();
    }
  });

  it('reports the first failure only, and sends on', () => {
    const { notifier, sent, errors, over } = noted();
    notifier?.ready();
    notifier?.reloading();
    while (over.length > 0) over.shift()?.(new Error(`failure ${sent.length}`));
    expect(errors).toEqual(['failure 1']);
    expect(sent).toHaveLength(2);
    notifier?.stopping(0);
  });

  it('takes the address out of the environment of later processes, and is absent without one', () => {
    const { env, notifier } = noted({ NOTIFY_SOCKET: '@x', WATCHDOG_USEC: '1', WATCHDOG_PID: '8', OTHER: 'o' });
    notifier?.stopping(0);
    expect(env).toEqual({ OTHER: 'o' });
    expect(noted({}).notifier).toBeUndefined();
  });
});

describe('takeSockets', () => {
  const given = (more: NodeJS.ProcessEnv = {}) => ({
    LISTEN_PID: '7',
    LISTEN_FDS: '3',
    LISTEN_FDNAMES: 'a:admin:b',
    ...more,
  });

  it('names the admin listener’s sockets apart, and leaves nothing in the environment', () => {
    const env: NodeJS.ProcessEnv = given();
    expect(takeSockets(env, 7)).toEqual({
      main: [
        { fd: 3, name: 'a' },
        { fd: 5, name: 'b' },
      ],
      admin: [{ fd: 4, name: 'admin' }],
    });
    expect(env).toEqual({});
  });

  it('works without names, and ignores sockets of another process', () => {
    expect(takeSockets(given({ LISTEN_FDNAMES: undefined, LISTEN_FDS: '1' }), 7).main).toEqual([{ fd: 3, name: '' }]);
    expect(takeSockets(given(), 8)).toEqual({ main: [], admin: [] });
    expect(takeSockets({}, 7)).toEqual({ main: [], admin: [] });
  });
});

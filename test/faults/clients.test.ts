import { connect, type Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { createCertificates } from '../support/certificates.ts';
import { openOf, processes } from '../support/processes.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { until } from '../support/until.ts';
import { ask } from './client.ts';
import type { Framing } from './feed.ts';
import { seaOfBytes } from './random.ts';
import { checksumOf, openScene, startFeeds } from './scene.ts';

const start = processes();
const folder = temporaryFolders();
const bytes = seaOfBytes(32 << 20, 6);
const right = { kind: 'clean', sha256: checksumOf(bytes).value };

const open = async (settings: Record<string, string | number> = {}, framing: Framing = 'length') => {
  const { feeds } = await startFeeds({ note: () => {} }, await createCertificates());
  const size = framing === 'length' ? bytes.length : undefined;
  const content = framing === 'length' ? bytes : bytes.subarray(0, 3 << 20);
  feeds.plain.resources.set('/file', { bytes: content, framing, faults: [] });
  const listings = [{ path: '/file', urls: [`${feeds.plain.url}/file`], checksum: checksumOf(content), size }];
  const { daemon } = await openScene(start, folder(), { listings, settings: { dispatch: 'none', ...settings } });
  const sockets = () => openOf(daemon.pid).filter((name) => name.startsWith('socket:')).length;
  const atRest = sockets();
  return {
    daemon,
    feeds,
    content,
    url: `${daemon.url}/file`,
    /** Resolves once the daemon holds no connection, neither of clients nor to feeds. */
    free: () => until(() => feeds.open() === 0 && sockets() <= atRest),
    close: async () => {
      expect((await daemon.stop()).status).toBe(0);
      await feeds.close();
    },
  };
};

/** A client on a bare socket that sends any bytes. */
const dial = (url: string): { socket: Socket; received: () => Buffer; ended: Promise<'end' | 'reset'> } => {
  const chunks: Buffer[] = [];
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
  const ended = new Promise<'end' | 'reset'>((resolve) => {
    socket.on('error', () => resolve('reset'));
    socket.on('end', () => resolve('end'));
  });
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { socket, received: () => Buffer.concat(chunks), ended };
};

describe('a client', () => {
  it.each([
    ['before the head', 'before the head'],
    ['at the head', 'at the head'],
    ['after the first bytes', 0],
    ['in the middle', 16 << 20],
    ['just before the end', (32 << 20) - 70_000],
  ] as const)('that leaves %s holds nothing, and harms no other', async (_, when) => {
    const { url, free, close } = await open();
    const others = ask(url);
    for (let turn = 0; turn < 5; turn += 1) await ask(url, { kind: 'leaves', when });
    expect(await others).toMatchObject(right);
    await free();
    await close();
  });

  it('that leaves before its source has connected, or while it stalls, holds nothing', async () => {
    const { url, feeds, free, close, daemon } = await open({ head_timeout: 20, read_timeout: 20 });
    feeds.plain.resources.set('/file', {
      bytes,
      framing: 'length',
      faults: [],
      forever: { kind: 'stall', place: { where: 'middle', at: 1 << 20 } },
    });
    const left = ask(url, { kind: 'leaves', when: 500_000 });
    expect(await left).toEqual({ kind: 'left' });
    await free();
    const [line] = await daemon.logged('request');
    expect(line).toMatchObject({ outcome: 'left', status: 499 });
    await close();
  });

  it('that never reads is cut, and its source is released', async () => {
    const { url, daemon, free, close } = await open({ client_timeout: 1 });
    const { socket, ended } = dial(url);
    socket.pause();
    socket.write('GET /file HTTP/1.1\r\nHost: x\r\n\r\n');
    const [line] = await daemon.logged('request');
    expect(line).toMatchObject({ code: 'CLIENT_STUCK' });
    socket.resume();
    expect(await ended).toBe('reset');
    socket.destroy();
    await free();
    await close();
  });

  it.each([
    ['share transfers', {}],
    ['have transfers of their own', { coalesce_window: 0 }],
  ])('that reads a little at a time, as others do that %s, leaves nothing', async (_, settings) => {
    const { url, daemon, free, close } = await open(settings);
    const many = Array.from({ length: 12 }, () => {
      const { socket } = dial(url);
      socket.pause();
      socket.write('GET /file HTTP/1.1\r\nHost: x\r\n\r\n');
      return socket;
    });
    // Such a client reads one byte per second: wait until each has received one.
    await Promise.all(many.map((socket) => new Promise((resolve) => socket.once('readable', resolve))));
    for (const socket of many) for (let second = 0; second < 5; second += 1) socket.read(1);
    for (const socket of many) socket.destroy();
    await daemon.logged('request', { outcome: 'left' }, 12);
    await free();
    expect(await ask(url)).toMatchObject(right);
    await close();
  });

  it.each([
    ['HTTP/1.1', 'at once'],
    ['HTTP/1.0', 'at once'],
    ['HTTP/1.1', 'mid-body'],
    ['HTTP/1.0', 'mid-body'],
  ])('that half-closes (%s, %s) gets the whole body, or a reset', async (version, when) => {
    const { url, content, free, close } = await open({ verify_whole_below: 0 }, 'chunked');
    const { socket, received, ended } = dial(url);
    const request = `GET /file ${version}\r\nHost: x\r\n\r\n`;
    if (when === 'at once') socket.end(request);
    else {
      socket.write(request);
      await until(() => received().length > 1_000);
      socket.end();
    }
    const how = await ended;
    socket.destroy();
    expect(how === 'reset' || received().length > content.length).toBe(true);
    await free();
    await close();
  });

  it.each([
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['an endless request head', `GET /file HTTP/1.1\r\n${'X: yyyy\r\n'.repeat(20_000)}`, 431],
    ['a malformed target', 'GET http:// HTTP/1.1\r\nHost: x\r\n\r\n', 400],
  ])('that sends %s gets an error that caches must not keep', async (_, words, status) => {
    const { url, free, close } = await open();
    const { socket, received, ended } = dial(url);
    socket.write(words);
    await until(() => received().includes('\r\n\r\n'));
    socket.destroy();
    await Promise.race([ended, Promise.resolve()]);
    expect(received().toString()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(received().toString()).toMatch(/cache-control: no-store/i);
    await free();
    await close();
  });
});

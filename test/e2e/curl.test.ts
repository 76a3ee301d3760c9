import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf } from '../support/collect.ts';
import { temporaryFolders } from '../support/folder.ts';
import { type Origin, openOrigins } from '../support/origin.ts';
import { processes } from '../support/processes.ts';
import { itNeeding } from '../support/repositories.ts';
import { until } from '../support/until.ts';

const start = processes();
const folder = temporaryFolders();
const itWithCurl = itNeeding(['curl']);
const openOrigin = openOrigins();
let origin: Origin;
beforeEach(async () => {
  origin = await openOrigin();
});

/**
 * The result of curl with its own options: the heads of the responses, the last one's body, its
 * status.
 */
const curl = async (path: string, ...options: readonly string[]) => {
  const home = folder();
  const heads = join(home, 'heads');
  const running = start('curl', ['-sS', '--noproxy', '*', '-D', heads, ...options, origin.url + path]);
  const { status, stdout, stderr } = await running.ended;
  return { status, head: readFileSync(heads, 'latin1'), body: stdout, stderr };
};

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

describe('curl', () => {
  itWithCurl('speaks HTTP/1.0, with a length and without', async () => {
    const measured = origin.offer('/measured');
    const first = await curl('/measured', '--http1.0');
    expect(first.status).toBe(0);
    expect(first.head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(first.head).toContain(`\r\nContent-Length: ${measured.body.length}\r\n`);
    expect(digestOf(first.body)).toBe(measured.sha256);

    const unmeasured = origin.offer('/unmeasured', undefined, 'unmeasured');
    const second = await curl('/unmeasured', '--http1.0');
    expect(second.status).toBe(0);
    expect(second.head).not.toMatch(/^(Content-Length|Transfer-Encoding):/im);
    expect(digestOf(second.body)).toBe(unmeasured.sha256);
  });

  itWithCurl('detects a truncated body of unknown length with HTTP/1.0, too', async () => {
    origin.offer('/unmeasured', undefined, 'unmeasured');
    origin.feed.hold();
    const file = join(folder(), 'file');
    const ended = curl('/unmeasured', '--http1.0', '-o', file);
    await until(() => sizeOf(file) > 0);
    origin.feed.cut();
    expect(await ended).toMatchObject({ status: 56 });
  });

  itWithCurl('asks for ranges', async () => {
    const { body } = origin.offer('/a.iso');
    const last = body.length - 1;
    for (const [range, from, to] of [
      ['0-9', 0, 9],
      ['1000000-2999999', 1_000_000, 2_999_999],
      [`${last}-`, last, last],
      ['-1000', last - 999, last],
    ] as const) {
      const { head, body: part } = await curl('/a.iso', '-r', range);
      expect(head).toMatch(/^HTTP\/1\.1 206 Partial Content\r\n/);
      expect(head).toContain(`\r\nContent-Range: bytes ${from}-${to}/${body.length}\r\n`);
      expect(part.equals(body.subarray(from, to + 1))).toBe(true);
    }
    expect((await curl('/a.iso', '-r', '0-0,10-19')).head).toMatch(/\r\nContent-Type: multipart\/byteranges; /);
    const beyond = await curl('/a.iso', '-f', '-r', `${body.length}-`);
    expect(beyond).toMatchObject({ status: 22, head: expect.stringMatching(/^HTTP\/1\.1 416 /) });
  });

  itWithCurl('resumes a truncated download, and then has no more to resume', async () => {
    const { body, sha256 } = origin.offer('/a.iso');
    const file = join(folder(), 'a.iso');
    origin.feed.hold();
    const broken = curl('/a.iso', '-o', file);
    await until(() => sizeOf(file) > 1_000_000);
    origin.feed.cut();
    expect([18, 56]).toContain((await broken).status);
    const had = sizeOf(file);
    expect(had).toBeLessThan(body.length);

    origin.feed.release();
    const { status, head } = await curl('/a.iso', '-C', '-', '-o', file);
    expect(status).toBe(0);
    expect(head).toContain(`\r\nContent-Range: bytes ${had}-${body.length - 1}/${body.length}\r\n`);
    expect(digestOf(readFileSync(file))).toBe(sha256);

    expect((await curl('/a.iso', '-C', '-', '-o', file)).head).toMatch(/^HTTP\/1\.1 416 /);
    expect(digestOf(readFileSync(file))).toBe(sha256);
  });

  itWithCurl('gets 100 for Expect: 100-continue, and 417 for any other expectation', async () => {
    const { sha256 } = origin.offer('/a.rpm', 1000);
    const { status, head, body } = await curl('/a.rpm', '-H', 'Expect: 100-continue');
    expect({ status, sha256: digestOf(body) }).toEqual({ status: 0, sha256 });
    expect(head).toMatch(/^(HTTP\/1\.1 100 Continue\r\n\r\n)?HTTP\/1\.1 200 OK\r\n/);
    expect((await curl('/a.rpm', '-H', 'Expect: a miracle')).head).toMatch(/^HTTP\/1\.1 417 /);
  });

  itWithCurl('revalidates its file', async () => {
    origin.offer('/a.rpm', 1000);
    const tags = join(folder(), 'tags');
    expect((await curl('/a.rpm', '--etag-save', tags)).head).toMatch(/^HTTP\/1\.1 200 /);
    const { head, body } = await curl('/a.rpm', '--etag-compare', tags);
    expect(head).toMatch(/^HTTP\/1\.1 304 /);
    expect(body).toHaveLength(0);
  });

  itWithCurl('keeps its connection for one request after the other, errors among them', async () => {
    origin.offer('/a.rpm', 1000);
    const urls = ['/a.rpm', '/nobody', '/a.rpm', '/a.rpm'];
    const options = urls.slice(1).flatMap((path) => ['-o', '/dev/null', origin.url + path]);
    const written = await curl('/a.rpm', '-w', '%{http_code} %{num_connects}\n', ...options, '-o', '/dev/null');
    expect(written.body.toString()).toBe('404 1\n200 0\n200 0\n200 0\n');
  });
});

describe('curl that prefers HTTP/2', () => {
  itWithCurl('keeps its connection, too', async () => {
    const { sha256 } = origin.offer('/a.rpm', 1000);
    const others = Array.from({ length: 39 }, () => ['-o', '/dev/null', `${origin.url}/a.rpm`]).flat();
    const file = join(folder(), 'a.rpm');
    const options = ['--http2', '-v', '-w', '%{http_code} %{num_connects} %{http_version}\n', '-o', file, ...others];
    const { status, head, body, stderr } = await curl('/a.rpm', ...options);
    expect(status).toBe(0);
    expect(stderr).toContain('> Upgrade: h2c\r\n');
    expect(head.match(/^HTTP\/1\.1 200 OK\r\n/gm)).toHaveLength(40);
    expect(body.toString()).toBe(`200 1 1.1\n${'200 0 1.1\n'.repeat(39)}`);
    expect(digestOf(readFileSync(file))).toBe(sha256);
  });
});

describe('a client that pipelines requests', () => {
  it('gets complete responses in order', async () => {
    const contents = ['/1.rpm', '/2.rpm', '/3.iso'].map((path, index) =>
      origin.offer(path, index < 2 ? 1000 : undefined),
    );
    const ask = (line: string, ...fields: readonly string[]) =>
      [line, 'Host: streamer', ...fields, '', ''].join('\r\n');
    const socket = connect(Number(new URL(origin.url).port), '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      ask('GET /3.iso HTTP/1.1') +
        ask('GET /1.rpm HTTP/1.1') +
        ask('HEAD /2.rpm HTTP/1.1') +
        ask('GET /nobody HTTP/1.1') +
        ask('GET /2.rpm HTTP/1.1', 'Connection: close'),
    );
    let rest = await buffer(socket);
    const next = (bodiless = false) => {
      const end = rest.indexOf('\r\n\r\n') + 4;
      const head = rest.toString('latin1', 0, end);
      const length = bodiless ? 0 : Number(/\r\nContent-Length: (\d+)\r\n/i.exec(head)?.[1]);
      const body = rest.subarray(end, end + length);
      rest = rest.subarray(end + length);
      return { status: Number(head.split(' ')[1]), sha256: digestOf(body) };
    };
    const [first, second, third] = contents;
    expect(next()).toEqual({ status: 200, sha256: third?.sha256 });
    expect(next()).toEqual({ status: 200, sha256: first?.sha256 });
    expect(next(true)).toMatchObject({ status: 200 });
    expect(next()).toMatchObject({ status: 404 });
    expect(next()).toEqual({ status: 200, sha256: second?.sha256 });
    expect(rest).toHaveLength(0);
  });
});

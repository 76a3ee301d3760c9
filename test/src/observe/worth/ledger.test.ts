import { describe, expect, it } from '@jest/globals';
import { EMPTY, of, throwError } from 'rxjs';
import { type Location, OPEN, type Report, type SourceEvent, StreamError } from '../../../../pipelines/index.ts';
import type { FinishedRequest } from '../../../../src/lib/finished-request.ts';
import { countBytes } from '../../../../src/observe/count-bytes.ts';
import { readDay } from '../../../../src/observe/worth/day.ts';
import { createLedger } from '../../../../src/observe/worth/ledger.ts';
import { anAsk } from '../../../support/collect.ts';

const LATE = Date.UTC(2026, 10, 28, 23, 59);
const MINUTE = 60_000;

const open = (known?: Parameters<typeof createLedger>[0]['known']) => {
  let time = LATE;
  const ledger = createLedger({ known, now: () => time, prefixOf: (path) => path.slice(0, 2) });
  return {
    ledger,
    pass: (milliseconds: number) => {
      time += milliseconds;
    },
  };
};

const request = (report: Partial<Report>, status = 200): FinishedRequest => ({
  ...{ id: 'a', method: 'GET', target: '/a/x', status, client: '192.0.2.1', duration: 1 },
  report: {
    ...{ id: 'a', method: 'GET', path: '/a/x', outcome: 'complete', bytes: 100, duration: 1, source: 'feed:one' },
    ...{ pauses: 0, pausedFor: 0, recorded: false, timeline: [] },
    attempts: [{ source: 'feed:one', url: 'http://one/x', from: 0 }],
    ...report,
  },
});

const failure = { code: 'CONNECTION_LOST', message: '', phase: 'mid-body' } as const;
const at = (kind: string, path = '/a/x', url = 'http://one/x') =>
  ({ url, source: { kind, id: 'one' }, entry: { path } }) as unknown as Location;
const chunk = (length: number): SourceEvent => ({ type: 'chunk', bytes: new Uint8Array(length) });

describe('the figures of a day', () => {
  it('sum what clients got, by prefix, source and file', () => {
    const { ledger } = open();
    ledger.finished(request({}));
    ledger.finished(request({ source: 'saved', attempts: [{ source: 'saved', url: 'file:///x', from: 0 }] }));
    ledger.finished(
      request({
        path: '/b/y',
        attempts: [
          { source: 'feed:one', url: 'http://one/y', from: 0, failure },
          { source: 'feed:two', url: 'http://two/y', from: 50 },
        ],
      }),
    );
    ledger.finished(request({ path: '/b/z', outcome: 'failed', bytes: 3 }, 502));
    ledger.finished(request({ path: '/b/z', outcome: 'left', bytes: 2 }, 499));
    // Refused before the catalog was asked.
    ledger.finished({ ...request({}), report: undefined });
    expect(ledger.take()).toEqual({
      day: '2026-11-28',
      prefixes: {
        '/a': { requests: 2, failed: 0, rescued: 0, served: 200, kept: 100, fetched: 0 },
        '/b': { requests: 3, failed: 1, rescued: 1, served: 105, kept: 0, fetched: 0 },
      },
      sources: { 'feed:one': { attempts: 4, failed: 1 }, 'feed:two': { attempts: 1, failed: 0 } },
      files: { '/a/x': { requests: 2, bytes: 200 }, '/b/y': { requests: 1, bytes: 100 } },
    });
    expect(ledger.take()).toBeUndefined();
  });

  it('hold a file that a source does not have against no source', () => {
    const { ledger } = open();
    const missing = { ...failure, code: 'SOURCE_MISSING' } as const;
    ledger.finished(
      request({ outcome: 'failed', attempts: [{ source: 'feed:one', url: '', from: 0, failure: missing }] }),
    );
    expect(ledger.take()?.sources).toEqual({ 'feed:one': { attempts: 1, failed: 0 } });
  });

  it('count the bytes from other machines, also of a body that breaks off, and none from disks', () => {
    const { ledger } = open();
    const lost = new StreamError('CONNECTION_LOST', 'feed', '');
    const bodies = { whole: () => of(chunk(10), chunk(5)), none: () => EMPTY, cut: () => throwError(() => lost) };
    const ask = (location: Location, body: () => ReturnType<typeof bodies.whole>) =>
      countBytes(() => body, ledger.counter)(location, anAsk())(OPEN).subscribe({ error: () => {} });
    ask(at('feed'), bodies.whole);
    ask(at('alternate', '/b/y'), bodies.whole);
    ask(at('feed'), bodies.none);
    ask(at('feed'), bodies.cut);
    ask(at('saved'), bodies.whole);
    ask(at('alternate', '/a/x', 'file:///x'), bodies.whole);
    // The catalog's own reading of metadata.
    ask({ url: 'http://one/repomd.xml' } as Location, bodies.whole);
    const { prefixes } = ledger.take() ?? {};
    expect(prefixes).toMatchObject({ '/a': { fetched: 15 }, '/b': { fetched: 15 } });
  });

  it('begin anew at midnight, and the former day is written once more', () => {
    const { ledger, pass } = open();
    ledger.finished(request({}));
    pass(2 * MINUTE);
    ledger.finished(request({}));
    ledger.finished(request({}));
    expect(ledger.take()).toMatchObject({ day: '2026-11-28', prefixes: { '/a': { requests: 1 } } });
    expect(ledger.take()).toMatchObject({ day: '2026-11-29', prefixes: { '/a': { requests: 2 } } });
    expect(ledger.take()).toBeUndefined();
  });

  it('go on from what a former process has written', () => {
    const { ledger: former } = open();
    former.finished(request({}));
    const written = JSON.parse(JSON.stringify(former.take()));
    const { ledger } = open(readDay('2026-11-28', written));
    ledger.finished(request({}));
    expect(ledger.take()?.prefixes).toMatchObject({ '/a': { requests: 2, served: 200 } });
  });

  it('stay bounded, whatever clients ask for', () => {
    const { ledger } = open();
    for (let file = 0; file < 5_000; file += 1)
      ledger.finished(request({ path: `/${String.fromCharCode(0x4e00 + file)}/${file}` }));
    for (let again = 0; again < 3; again += 1) ledger.finished(request({ path: '/a/often' }));
    const { prefixes = {}, files = {} } = ledger.take() ?? {};
    expect(Object.keys(prefixes)).toHaveLength(201);
    expect(prefixes['(others)']?.requests).toBe(5_003 - 200);
    expect(Object.keys(files).length).toBeLessThanOrEqual(2_000);
    expect(files['/a/often']?.requests).toBe(3);
  });

  it('count as nothing where a file has another shape', () => {
    expect(readDay('2026-11-28', null)).toEqual({ day: '2026-11-28', prefixes: {}, sources: {}, files: {} });
    expect(
      readDay('2026-11-28', { prefixes: { '/a': { requests: 'x', served: 5 }, __proto__: [] }, files: 3 }),
    ).toEqual({
      day: '2026-11-28',
      prefixes: { '/a': { requests: 0, failed: 0, rescued: 0, served: 5, kept: 0, fetched: 0 } },
      sources: {},
      files: {},
    });
  });
});

import { describe, expect, it } from '@jest/globals';
import type { CopyProgress, Report } from '../../../../pipelines/index.ts';
import { showClientOf } from '../../../../src/app/show-client.ts';
import type { FinishedRequest } from '../../../../src/lib/finished-request.ts';
import { diskSentence } from '../../../../src/observe/live/model/disk.ts';
import { streamOf } from '../../../../src/observe/live/model/of-report.ts';
import { createPast } from '../../../../src/observe/live/past.ts';

const reportOf = (more: Partial<Report> = {}): Report => ({
  ...{ id: 'a', method: 'GET', path: '/el9/a.rpm', outcome: 'complete', bytes: 9, duration: 5 },
  ...{ attempts: [], pauses: 0, pausedFor: 0, recorded: false, timeline: [] },
  ...more,
});

const finished = (id: string, more: Partial<FinishedRequest> = {}): FinishedRequest => ({
  ...{ id, method: 'GET', target: '/el9/a.rpm', status: 200, client: '192.0.2.7', duration: 5, report: reportOf() },
  ...more,
});

const failure = {
  code: 'STALLED',
  message: 'http://me:pw@feed/a?token=s3cret sent nothing',
  phase: 'mid-body',
} as const;
const eventful = reportOf({
  attempts: [{ source: 'feed:feed', url: 'http://me:pw@feed/a?token=s3cret', from: 0, failure }],
  timeline: [{ at: 1, what: 'failed', detail: 'feed:feed: http://me:pw@feed/a?token=s3cret sent nothing' }],
});

const createHistory = (...given: Parameters<typeof createPast>) => {
  const { history, finished } = createPast(...given);
  return { ...history, finished };
};

describe('the history', () => {
  it('keeps eventful requests however many quiet ones follow, and both in bounded number', () => {
    let now = 0;
    const history = createHistory(
      () => (now += 100),
      (client) => client,
    );
    history.finished(finished('eventful', { report: eventful }));
    for (let count = 0; count < 5000; count += 1) history.finished(finished(`quiet-${count}`));
    expect(history.list()).toHaveLength(301);
    expect(history.list()[0]).toMatchObject({ id: 'quiet-4999', eventful: false });
    expect(history.find('quiet-4699')).toBeUndefined();
    expect(history.find('quiet-4700')).toMatchObject({ id: 'quiet-4700' });
    expect(history.find('eventful')).toMatchObject({ eventful: true, attempts: [{ code: 'STALLED' }] });
    for (let count = 0; count < 300; count += 1) history.finished(finished(`failed-${count}`, { status: 502 }));
    expect(history.find('eventful')).toBeUndefined();
    expect(history.list()).toHaveLength(600);
  });

  it('keeps some 30 quiet requests a second, the newest among them, and of fewer each one', () => {
    let now = 0;
    const history = createHistory(
      () => now,
      (client) => client,
    );
    const finish = (count: number, name: string) => {
      for (let at = 0; at < count; at += 1) history.finished(finished(`${name}-${at}`));
    };
    finish(300, 'first');
    expect(history.list()).toHaveLength(300);
    for (; now < 20_000; now += 1) finish(3, `at-${now}`);
    expect(history.list()).toHaveLength(300);
    expect(history.list()[0]).toMatchObject({ id: 'at-19999-2' });
    expect(now - history.list()[299]!.at).toBeGreaterThanOrEqual(10_000 - 100);
    now += 10_000;
    finish(300, 'later');
    expect(history.list().every(({ id }) => id.startsWith('later'))).toBe(true);
    // The clock was set back.
    now = 5_000;
    for (let count = 0; count < 2_000; count += 1, now += 10) finish(1, `back-${count}`);
    expect(history.list().filter(({ id }) => id.startsWith('back'))).toHaveLength(300);
  });

  it('follows the copy of a request after its end', () => {
    const copy: { -readonly [Name in keyof CopyProgress]: CopyProgress[Name] } = { taken: 9, written: 5, whole: 40 };
    const history = createHistory(
      () => 50,
      (client) => client,
    );
    history.finished(finished('one', { report: reportOf({ copy }) }));
    expect(history.list()).toMatchObject([{ id: 'one', copy: 'whole' }]);
    expect(history.find('one')?.copied).toEqual({ bytes: 5, whole: 40 });
    copy.end = { at: 60, how: 'given-up', reason: 'PUT http://me:pw@store/a?X-Amz-Signature=s3cret failed' };
    expect(history.list()).toMatchObject([{ copy: 'given-up' }]);
    const problem = 'PUT http://***@store/a?*** failed';
    const report = history.find('one');
    expect(report?.copied).toEqual({ bytes: 5, whole: 40, at: 60, problem });
    const stream = streamOf(report!);
    expect(stream.lanes).toContain('copy');
    expect(stream.marks).toContainEqual({
      at: 60,
      lane: stream.lanes.indexOf('copy'),
      kind: 'given-up',
      text: problem,
    });
    expect(diskSentence(stream)).toBe(`Copy: 5 B, given up: ${problem}.`);
  });

  it('keeps a request whose copy was given up among the eventful ones', () => {
    const history = createHistory(
      () => 1,
      (client) => client,
    );
    const copy: CopyProgress = { taken: 9, written: 5, end: { at: 1, how: 'given-up' } };
    history.finished(finished('one', { report: reportOf({ copy }) }));
    expect(history.list()).toMatchObject([{ eventful: true }]);
  });

  it('shows neither queries nor credentials', () => {
    const history = createHistory(() => 1, showClientOf({ showClients: 'network' }));
    history.finished(finished('one', { report: eventful, target: '/el9/a.rpm?policy=s3cret&signature=s3cret' }));
    const text = JSON.stringify([history.list(), history.find('one')]);
    expect(text).not.toMatch(/s3cret|pw|192\.0\.2\.7/);
    expect(history.find('one')).toMatchObject({
      ...{ path: '/el9/a.rpm', client: '192.0.2.*' },
      attempts: [{ url: 'http://feed/a', message: 'http://***@feed/a?*** sent nothing' }],
    });
  });
});

describe('clients', () => {
  it.each([
    ['address', '192.0.2.7', '192.0.2.7'],
    ['network', '192.0.2.7', '192.0.2.*'],
    ['network', '2001:db8:1:2::7', '2001:db8:1::*'],
    ['network', '::1', '::*'],
    ['no', '192.0.2.7', undefined],
    ['address', '', undefined],
  ] as const)('with show_clients = %s, %s is shown as %s', (shown, client, expected) =>
    expect(showClientOf({ showClients: shown })(client)).toBe(expected),
  );
});

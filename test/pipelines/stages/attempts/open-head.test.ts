import { describe, expect, it } from '@jest/globals';
import { type Observable, of, throwError, VirtualTimeScheduler } from 'rxjs';
import { type Ask, createHealth, type SourceEvent, StreamError } from '../../../../pipelines/index.ts';
import { OPEN } from '../../../../pipelines/operators/valve.ts';
import { openHead } from '../../../../pipelines/stages/attempts/open-head.ts';
import { aCandidate, anEntry, chunk, marbles, sourceHead, unpaused } from '../../../support/pipeline.ts';

const candidate = aCandidate('feed', anEntry());
const other = aCandidate('other', anEntry());
const VALUES: Readonly<Record<string, SourceEvent>> = {
  h: sourceHead({ status: 200, length: 3 }),
  p: sourceHead({ status: 206, length: 3, last: 0 }),
  P: sourceHead({ status: 206, length: 3 }),
  b: chunk('b'),
};
const answered = (sourceStatus: number) =>
  new StreamError('SOURCE_STATUS', 'feed', `answered ${sourceStatus}`, { sourceStatus });

interface Answers {
  readonly head: Observable<SourceEvent>;
  readonly first?: Observable<SourceEvent>;
}

const opening =
  ({ head, first = of() }: Answers, asked: string[] = []) =>
  (_: unknown, { method, from, last }: Ask) => {
    asked.push(`${method} ${from}-${last ?? ''}`);
    return method === 'HEAD' ? head : first;
  };

interface Story {
  readonly head: string;
  readonly first?: string;
  readonly status?: number;
  readonly result: string;
  readonly fails?: StreamError;
  /** The time in which the request for the first byte runs. */
  readonly window?: string;
}

const check = ({ head, first = '#', status = 405, result, fails, window }: Story) =>
  marbles(({ cold, expectObservable, expectSubscriptions }) => {
    const answers = { head: cold(head, VALUES, answered(status)), first: cold(first, VALUES, fails) };
    expectObservable(openHead(candidate, {}, { open: unpaused(opening(answers)) })(OPEN)).toBe(result, VALUES, fails);
    expectSubscriptions(answers.first.subscriptions).toBe(window ?? []);
  });

describe('openHead', () => {
  it('passes the answer to HEAD', () => check({ head: '-h|', result: '-h|' }));

  it.each([403, 405, 501])('asks for the first byte by GET if HEAD is answered with %s', (status) =>
    check({ head: '-#', status, first: '-p-b|', result: '-----(P|)', window: '-^---!' }),
  );

  it('leaves a longer body', () => check({ head: '-#', first: '-h-b-b|', result: '--(h|)', window: '-^!' }));

  it('needs no byte', () => check({ head: '-#', first: '-p-#', result: '----(P|)', window: '-^--!' }));

  it('emits nothing of a source that ends without a head', () =>
    check({ head: '-#', first: '-|', result: '--|', window: '-^!' }));

  it('errors as GET does', () => {
    const fails = answered(403);
    check({ head: '-#', first: '-#', result: '--#', fails, window: '-^!' });
  });

  it.each([404, 500, 503])('errors if HEAD is answered with %s', (status) =>
    check({ head: '-#', status, result: '-#', fails: answered(status) }),
  );

  it('does not ask a source by HEAD for a while that refused it', () => {
    const time = new VirtualTimeScheduler();
    const health = createHealth({ cooldown: 100, cooldownLimit: 1000, random: () => 1, scheduler: time });
    const asked: string[] = [];
    const answers = { head: throwError(() => answered(405)), first: of(VALUES.p!, VALUES.b!) };
    const ask = (one = candidate) => {
      asked.length = 0;
      openHead(one, {}, { open: unpaused(opening(answers, asked)), health })(OPEN).subscribe();
      return asked;
    };
    expect(ask()).toEqual(['HEAD 0-', 'GET 0-0']);
    expect(health.unhealthy()).toEqual([]);
    time.frame = 999;
    expect(ask()).toEqual(['GET 0-0']);
    expect(ask(other)).toEqual(['HEAD 0-', 'GET 0-0']);
    time.frame = 1000;
    expect(ask()).toEqual(['HEAD 0-', 'GET 0-0']);
  });

  it('remembers nothing of a source that refuses GET, too', () => {
    const health = createHealth({ cooldown: 100, cooldownLimit: 1000, random: () => 1 });
    const refused = throwError(() => answered(403));
    const ask = { open: unpaused(opening({ head: refused, first: refused })), health };
    openHead(candidate, {}, ask)(OPEN).subscribe({ error: () => {} });
    expect(health.refusesHead(candidate)).toBe(false);
  });
});

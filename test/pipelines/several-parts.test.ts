import { describe, expect, it } from '@jest/globals';
import { concat, ignoreElements, of, throwError, timer, VirtualTimeScheduler } from 'rxjs';
import {
  type AskedBytes,
  createSharing,
  type Head,
  type LazyFetchDeps,
  type Location,
  type Part,
  prepare,
  type SourceEvent,
  StreamError,
} from '../../pipelines/index.ts';
import { OPEN } from '../../pipelines/operators/valve.ts';
import {
  aCandidate,
  aPolicy,
  aRequest,
  bytesOf,
  entryOf,
  nameAt,
  newDigest,
  sourceHead,
  textOf,
  unpaused,
} from '../support/pipeline.ts';

const CONTENT = Array.from({ length: 4000 }, (_, at) => `${at % 10_000}`.padStart(5, '.')).join('');
const known = entryOf(CONTENT, { size: CONTENT.length });

type Ask = AskedBytes & { readonly method: string };

const setOf = ({ parts, from, last }: AskedBytes): string =>
  (parts ?? [{ first: from, last }]).map(({ first, last }) => `${first}-${last ?? ''}`).join(',');

const textAt = ({ first, last }: Part): string => CONTENT.slice(first, last + 1);

/** A source that sends parts: the head and the bytes of an answer. */
const answer = ({ from, last = CONTENT.length - 1, parts = [{ first: from, last }] }: AskedBytes) => ({
  head: sourceHead({
    status: 206,
    length: CONTENT.length,
    etag: '"1"',
    from,
    last,
    ...(parts.length > 1 && { parts }),
  }),
  body: parts.map(textAt).join(''),
});
const sends = (ask: AskedBytes) => {
  const { head, body } = answer(ask);
  return of<SourceEvent[]>(head, { type: 'chunk', bytes: bytesOf(body) });
};

const scene = ({
  open = sends,
  sources = ['a'],
  ...more
}: { open?: (ask: Ask, name: string) => ReturnType<typeof sends>; sources?: readonly string[] } & Partial<
  Omit<LazyFetchDeps, 'open' | 'sources'>
> = {}) => {
  const asked: string[] = [];
  const fetch = prepare({
    catalog: { lookup: () => of(known) },
    sources: sources.map((name) => (entry) => of(aCandidate(name, entry))),
    open: unpaused((location: Location, ask) => {
      asked.push(`${nameAt(location)} ${ask.method} ${setOf(ask)}`);
      return open(ask, nameAt(location));
    }),
    newDigest,
    policy: aPolicy({ verifyWholeBelow: 0 }),
    random: () => 1,
    scheduler: new VirtualTimeScheduler(),
    ...more,
  });
  const askIf = (ifRange: string | undefined, ...parts: readonly (readonly [first: number, last?: number])[]) => {
    let head: Head | undefined;
    let body = '';
    let error: unknown;
    const conditions = ifRange === undefined ? undefined : { ifRange };
    fetch(aRequest({ conditions, ranges: parts.map(([first, last]) => ({ first, last })) }))(OPEN).subscribe({
      next: (event) => {
        if (event.type === 'head') head = event;
        if (event.type === 'chunk') body += textOf(event.bytes);
      },
      error: (thrown) => {
        error = thrown;
      },
    });
    return {
      get head() {
        return head;
      },
      get body() {
        return body;
      },
      get error() {
        return error;
      },
    };
  };
  const ask = (...parts: readonly (readonly [first: number, last?: number])[]) => askIf(undefined, ...parts);
  return { asked, ask, askIf };
};

/** The right body of parts. */
const bodyOf = (...parts: readonly (readonly [first: number, last: number])[]): string =>
  [
    ...parts.map(
      ([first, last]) =>
        `\r\n--pulp-streamer-request-1\r\nContent-Range: bytes ${first}-${last}/${CONTENT.length}\r\n\r\n${textAt({ first, last })}`,
    ),
    '\r\n--pulp-streamer-request-1--\r\n',
  ].join('');

describe('parts in ascending order', () => {
  it('are one request to the feed, and none for the length that the catalog has', () => {
    const { asked, ask } = scene();
    const { head, body } = ask([0, 9], [5000, 5009], [19_990]);
    expect(head).toMatchObject({ status: 206, length: body.length });
    expect(body).toBe(bodyOf([0, 9], [5000, 5009], [19_990, 19_999]));
    expect(asked).toEqual(['a GET 0-9,5000-5009,19990-19999']);
  });

  it('are asked together with small gaps, which the client does not get', () => {
    const { asked, ask } = scene();
    expect(ask([0, 9], [500, 509], [3000, 3009]).body).toBe(bodyOf([0, 9], [500, 509], [3000, 3009]));
    expect(ask([100, 109], [1000, 1009]).body).toBe(bodyOf([100, 109], [1000, 1009]));
    expect(asked).toEqual(['a GET 0-509,3000-3009', 'a GET 100-1009']);
  });

  it('are several requests if they are more than servers accept', () => {
    const content = 'x'.repeat(201 * 2000);
    const entry = entryOf(content, { size: content.length });
    const parts = Array.from({ length: 201 }, (_, at) => [at * 2000, at * 2000] as const);
    const counts: number[] = [];
    const { ask } = scene({
      catalog: { lookup: () => of(entry) },
      open: (ask) => {
        counts.push(ask.parts?.length ?? 1);
        const { head } = answer(ask);
        return of<SourceEvent[]>(
          { ...head, length: content.length },
          { type: 'chunk', bytes: bytesOf('x'.repeat(ask.parts?.length ?? 1)) },
        );
      },
    });
    expect(ask(...parts)).toMatchObject({ error: undefined, head: { status: 206 } });
    expect(counts).toEqual([200, 1]);
  });

  it('are cut from the whole if they are most of it, and all of it is verified', () => {
    const whole = { open: () => sends({ from: 0 }) };
    const { asked, ask } = scene(whole);
    expect(ask([0, 9999], [15_000, 15_009]).body).toBe(bodyOf([0, 9999], [15_000, 15_009]));
    expect(asked).toEqual(['a GET 0-']);
    const wrong = scene({
      open: () => of<SourceEvent[]>(sourceHead({ length: 20_000 }), { type: 'chunk', bytes: new Uint8Array(20_000) }),
    });
    expect(wrong.ask([0, 9999], [15_000, 15_009]).error).toMatchObject({ code: 'WRONG_CHECKSUM' });
  });

  it('are cut from the whole if that is verified before its head', () => {
    const small = scene({ policy: aPolicy({ verifyWholeBelow: CONTENT.length }) });
    expect(small.ask([0, 9], [5000, 5009]).body).toBe(bodyOf([0, 9], [5000, 5009]));
    expect(small.asked).toEqual(['a GET 0-']);
  });

  it('are saved with the whole that they are cut from if copies are kept, or with save_partial', () => {
    const saved = (more: Parameters<typeof scene>[0]): number => {
      let saves = 0;
      const outbox = {
        append: () => {
          saves += 1;
        },
      };
      scene({ open: () => sends({ from: 0 }), outbox, ...more }).ask([0, 9999], [15_000, 15_009]);
      return saves;
    };
    expect(saved({})).toBe(0);
    expect(saved({ keep: () => undefined })).toBe(1);
    expect(saved({ policy: aPolicy({ verifyWholeBelow: 0, savePartial: true }) })).toBe(1);
  });

  it('are cut from the whole if the feed does not send several, and the whole costs less', () => {
    const { asked, ask } = scene({ open: (ask) => (ask.parts ? sends({ from: 0 }) : sends(ask)) });
    const open = scene({
      open: () => of<SourceEvent[]>(sourceHead({ length: 20_000 }), { type: 'chunk', bytes: bytesOf(CONTENT) }),
    });
    expect(open.ask([0, 9], [5000, 5009]).body).toBe(bodyOf([0, 9], [5000, 5009]));
    expect(open.asked).toEqual(['a GET 0-9,5000-5009', 'a GET 0-']);
    expect(ask([0, 9], [5000, 5009]).body).toBe(bodyOf([0, 9], [5000, 5009]));
    expect(asked).toHaveLength(2);
  });

  it('continue at the exact byte after a failure, also from another source that repeats the last bytes', () => {
    const dies = (ask: Ask) => {
      const { head, body } = answer(ask);
      return concat(
        of<SourceEvent[]>(
          head,
          { type: 'chunk', bytes: bytesOf(body.slice(0, 8)) },
          { type: 'chunk', bytes: bytesOf(body.slice(8, 12)) },
        ),
        throwError(() => new StreamError('CONNECTION_LOST', 'feed', 'lost')),
      );
    };
    const right = bodyOf([0, 9], [5000, 5009]);
    let count = 0;
    const again = scene({ open: (ask) => (count++ === 0 ? dies(ask) : sends(ask)) });
    expect(again.ask([0, 9], [5000, 5009])).toMatchObject({ body: right, error: undefined });
    expect(again.asked).toEqual(['a GET 0-9,5000-5009', 'a GET 5002-5009']);

    const gone = throwError(() => new StreamError('SOURCE_MISSING', 'feed', 'gone'));
    const other = scene({
      sources: ['a', 'b'],
      open: (ask, name) => {
        if (name === 'b') return sends(ask);
        return ask.from === 0 ? dies(ask) : gone;
      },
    });
    expect(other.ask([0, 9], [5000, 5009])).toMatchObject({ body: right, error: undefined });
    expect(other.asked).toEqual(['a GET 0-9,5000-5009', 'a GET 5002-5009', 'b GET 0-9,5000-5009']);
  });

  it('continue at a third source if the second one sends the whole instead', () => {
    const { asked, ask } = scene({
      sources: ['a', 'b', 'c'],
      open: (ask, name) => {
        if (name === 'b') return sends({ from: 0 });
        if (name === 'c') return sends(ask);
        const { head, body } = answer(ask);
        const lost = new StreamError('PROTOCOL_ERROR', 'feed', 'lost');
        return concat(
          of<SourceEvent[]>(
            head,
            { type: 'chunk', bytes: bytesOf(body.slice(0, 4)) },
            { type: 'chunk', bytes: bytesOf(body.slice(4, 12)) },
          ),
          throwError(() => lost),
        );
      },
    });
    expect(ask([0, 9], [5000, 5009])).toMatchObject({ error: undefined, body: bodyOf([0, 9], [5000, 5009]) });
    expect(asked).toEqual(['a GET 0-9,5000-5009', 'b GET 0-9,5000-5009', 'b GET 0-9', 'c GET 0-9,5000-5009']);
  });

  it('are shared by clients that ask for the same ones at the same time', () => {
    const bodies: string[] = [];
    const { asked, ask } = scene({
      sharing: createSharing({ window: 1000, memory: 1000 }),
      open: (once) => {
        // Another client comes while the first one is served.
        if (bodies.length === 0) {
          bodies.push('');
          bodies.push(ask([0, 9], [5000, 5009]).body);
        }
        return sends(once);
      },
    });
    const { body } = ask([0, 9], [5000, 5009]);
    expect(body).toBe(bodyOf([0, 9], [5000, 5009]));
    expect(asked).toEqual(['a GET 0-9,5000-5009']);
  });

  it('are not shared by clients that ask for as many bytes of other parts', () => {
    const bodies: string[] = [];
    const { asked, ask } = scene({
      sharing: createSharing({ window: 1000, memory: 1000 }),
      open: (once) => {
        if (asked.length === 1) bodies.push(ask([0, 9], [6000, 6009]).body);
        return sends(once);
      },
    });
    expect(ask([0, 9], [5000, 5009]).body).toBe(bodyOf([0, 9], [5000, 5009]));
    expect(bodies).toEqual([bodyOf([0, 9], [6000, 6009])]);
  });

  it('are sent while If-Range holds, also with a date, which only the feed knows', () => {
    const modified = 'Thu, 01 Jan 2026 00:00:00 GMT';
    const { asked, askIf } = scene({
      open: (ask) => {
        const { head, body } = answer(ask);
        const dated = { ...head, headers: [['Last-Modified', modified]] as const };
        return ask.method === 'HEAD'
          ? of<SourceEvent>({ ...sourceHead({ length: CONTENT.length }), headers: dated.headers })
          : of<SourceEvent[]>(dated, { type: 'chunk', bytes: bytesOf(body) });
      },
    });
    expect(askIf(modified, [0, 9], [5000, 5009]).head?.status).toBe(206);
    expect(asked).toEqual(['a HEAD 0-', 'a GET 0-9,5000-5009']);
  });
});

describe('parts in another order', () => {
  it('have until their own end, once the first one has begun in time', () => {
    const clock = new VirtualTimeScheduler();
    const { ask, asked } = scene({
      open: (ask) => {
        const pause = timer(4, clock).pipe(ignoreElements());
        return concat(pause, sends(ask), pause);
      },
      policy: aPolicy({ verifyWholeBelow: 0, answerTimeout: 5 }),
      scheduler: clock,
    });
    const answer = ask([5000, 5009], [0, 9]);
    clock.flush();
    expect(answer).toMatchObject({ error: undefined, body: bodyOf([5000, 5009], [0, 9]) });
    expect(asked).toEqual(['a GET 5000-5009', 'a GET 0-9']);
  });

  it('are cut from the whole as soon as the feed sends no parts any more', () => {
    const { ask, asked } = scene({
      open: (ask) =>
        ask.from === 5000
          ? sends(ask)
          : of<SourceEvent[]>(sourceHead({ length: CONTENT.length, etag: '"1"' }), {
              type: 'chunk',
              bytes: bytesOf(CONTENT),
            }),
    });
    expect(ask([5000, 5009], [0, 9])).toMatchObject({ error: undefined, body: bodyOf([5000, 5009], [0, 9]) });
    expect(asked).toEqual(['a GET 5000-5009', 'a GET 0-9', 'a GET 0-']);
  });
});

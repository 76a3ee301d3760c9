import { describe, expect, it } from '@jest/globals';
import { BehaviorSubject, EMPTY, NEVER, of, Subject, VirtualTimeScheduler } from 'rxjs';
import {
  type ByteRange,
  type CatalogEntry,
  createSharing,
  isNote,
  type Location,
  type Report,
  type SaveRequest,
  type SourceEvent,
  type StreamError,
  type StreamRequest,
} from '../../pipelines/index.ts';
import { under } from '../../pipelines/operators/flow.ts';
import { operate } from '../../pipelines/operators/operate.ts';
import type { Valve } from '../../pipelines/operators/valve.ts';
import { share } from '../../pipelines/stages/share.ts';
import { memorySpills } from '../support/memory-spills.ts';
import {
  aCandidate,
  anEntry,
  aPolicy,
  aRequest,
  chunk,
  entryOf,
  fetched,
  marbles,
  newDigest,
  sourceHead,
  textOf,
} from '../support/pipeline.ts';

const CONTENT = 'abcdefghij';

/** Sources that are pushed by hand, and all the clients that ask for them. */
const scene = ({
  entry = entryOf(CONTENT),
  window = 4,
  memory = 1000,
  room,
  piece,
  finishBelow,
  older,
  source: { url } = { url: 'http://a/bear.rpm' },
}: {
  entry?: CatalogEntry | (() => CatalogEntry);
  window?: number;
  memory?: number;
  /** Bytes that a spill takes. Default: there are no spills. */
  room?: number;
  /** Bytes that are read of a spill at a time. Default: all that it has. */
  piece?: number;
  finishBelow?: number;
  /** Another entry of the path, and the only one whose source is known. */
  older?: CatalogEntry;
  source?: { url: string };
} = {}) => {
  const clock = new VirtualTimeScheduler();
  clock.maxFrames = 0;
  const spills = room === undefined ? undefined : memorySpills(room, piece);
  const opened: { readonly asked: string; readonly events: Subject<SourceEvent>; readonly valve: () => boolean }[] = [];
  const saves: SaveRequest[] = [];
  const kept: string[] = [];
  let differs: Partial<CatalogEntry> = {};
  const deps = {
    catalog: {
      lookup: () => of({ ...(typeof entry === 'function' ? entry() : entry), ...differs }, ...(older ? [older] : [])),
    },
    sources: [
      (found: CatalogEntry) =>
        older && found.checksum?.value !== older.checksum?.value ? EMPTY : of(aCandidate('a', found, { url })),
    ],
    open: (_: Location, ask: { from: number; last?: number; ifRange?: string }) => (valve: Valve) => {
      const events = new Subject<SourceEvent>();
      let open = true;
      valve.subscribe((state) => {
        open = state;
      });
      const asked = [ask.from, ask.last, ask.ifRange].filter((part) => part !== undefined).join(' ');
      opened.push({ asked, events, valve: () => open });
      return events;
    },
    newDigest,
    policy: aPolicy({ attempts: 1, headTimeout: 10_000, readTimeout: 10_000 }),
    random: () => 1,
    // No time passes: nothing here waits.
    scheduler: new VirtualTimeScheduler(),
    keep: () => ({
      write: ({ length }: Uint8Array) => kept.push(String(length)),
      commit: () => kept.push('whole'),
      abort: () => {},
    }),
    outbox: { append: (save: SaveRequest) => saves.push(save) },
    sharing: createSharing({
      ...{ window, memory, scheduler: clock },
      ...(spills && { spill: spills.spill }),
      ...(finishBelow !== undefined && { finishBelow }),
    }),
  };
  const ask = (more: Partial<StreamRequest> = {}, isOpen = true) => {
    const valve = new BehaviorSubject(isOpen);
    const seen = {
      body: '',
      heads: 0,
      notes: [] as string[],
      behind: [] as number[],
      end: '',
      error: undefined as StreamError | undefined,
    };
    let report: Report | undefined;
    const subscription = fetched(
      { valve, ...more },
      {
        ...deps,
        report: (reported) => (report = reported),
      },
    ).subscribe({
      next: (event) => {
        if (event.type === 'head') seen.heads += 1;
        else if (event.type === 'chunk') seen.body += textOf(event.bytes);
        else if (isNote(event)) {
          seen.notes.push(event.type);
          if (event.type === 'behind') seen.behind.push(event.from);
        }
      },
      error: (error) => {
        seen.error = error;
        seen.end = 'error';
      },
      complete: () => {
        seen.end = 'complete';
      },
    });
    return { seen, valve, report: () => report, leave: () => subscription.unsubscribe() };
  };
  const source = (index: number) => {
    const one = opened[index];
    if (!one) throw new Error(`source number ${index} was not opened`);
    return {
      ...one,
      send: (text: string) => {
        for (const letter of text) one.events.next(chunk(letter));
      },
      head: (from = 0, etag?: string) =>
        one.events.next(sourceHead({ length: CONTENT.length, from, etag, headers: etag ? [['ETag', etag]] : [] })),
      end: () => one.events.complete(),
    };
  };
  /** What the catalog has from now on. */
  const found = (more: Partial<CatalogEntry>) => {
    differs = more;
  };
  return {
    ...{ ask, source, opened, saves, kept, found, sharing: deps.sharing, spilled: spills?.made ?? [] },
    /** The time after which a client that takes nothing no longer counts. */
    lag: () => {
      // The clock of the scheduler is that of its last action.
      clock.schedule(() => {}, 1000);
      clock.maxFrames += 1000;
      clock.flush();
    },
  };
};

describe('a shared transfer', () => {
  it('serves all clients that ask at the same time; it is digested, kept and recorded once', () => {
    const { ask, source, opened, saves, kept } = scene();
    const all = [ask({ id: 'one' }), ask({ id: 'two' }), ask({ id: 'three' })];
    source(0).head();
    source(0).send(CONTENT);
    for (const { seen } of all) expect(seen).toMatchObject({ heads: 1, body: 'abcdefghi', end: '' });
    source(0).end();
    for (const { seen, report } of all) {
      expect(seen).toMatchObject({ heads: 1, body: CONTENT, end: 'complete' });
      expect(report()).toMatchObject({ outcome: 'complete', bytes: 10, verified: 'sha256', recorded: true });
    }
    expect(all.map(({ seen }) => seen.notes.includes('shared'))).toEqual([false, true, true]);
    expect(opened).toHaveLength(1);
    expect(saves.map(({ requestId }) => requestId)).toEqual(['one']);
    expect(kept.filter((what) => what === 'whole')).toHaveLength(1);
  });

  it('withholds a wrong end from all clients', () => {
    const { ask, source } = scene();
    const all = [ask(), ask()];
    source(0).head();
    source(0).send('abcdefghiX');
    source(0).end();
    for (const { seen } of all) {
      expect(seen).toMatchObject({ body: 'abcdefghi', end: 'error', error: { code: 'WRONG_CHECKSUM' } });
      expect(seen.notes).toContain('failed');
    }
  });

  it('follows the fastest client; one that falls behind continues alone, verified by its own digest', () => {
    const { ask, source, opened } = scene({ window: 3 });
    const quick = ask();
    const slow = ask();
    source(0).head();
    source(0).send('ab');
    slow.valve.next(false);
    source(0).send('cde');
    expect(opened).toHaveLength(1);
    source(0).send('f');
    expect(opened.map(({ asked }) => asked)).toEqual(['0', '2']);
    expect(source(1).valve()).toBe(false);
    source(0).send('ghij');
    source(0).end();
    expect(quick.seen).toMatchObject({ body: CONTENT, end: 'complete' });

    slow.valve.next(true);
    source(1).head(2);
    source(1).send('cdefghij');
    source(1).end();
    expect(slow.seen).toMatchObject({ heads: 1, body: CONTENT, end: 'complete' });
    expect(slow.report()).toMatchObject({ outcome: 'complete', bytes: 10, verified: 'sha256' });
  });

  it('is begun again for a client that fell behind before its first byte', () => {
    const { ask, source, opened } = scene({ entry: anEntry(), window: 1 });
    const quick = ask();
    source(0).head(0, '"1"');
    const paused = ask({}, false);
    source(0).send('abc');
    expect(paused.seen).toMatchObject({ heads: 0, body: '', behind: [] });
    expect(opened.map(({ asked }) => asked)).toEqual(['0', '0']);
    paused.valve.next(true);
    source(1).head(0, '"2"');
    source(1).send('ABCDEFGHIJ');
    source(1).end();
    expect(paused.seen).toMatchObject({ heads: 1, body: 'ABCDEFGHIJ', end: 'complete' });
    source(0).send('defghij');
    source(0).end();
    expect(quick.seen).toMatchObject({ heads: 1, body: CONTENT, end: 'complete' });
  });

  it('is recorded by the client that completes it, even with its own transfer', () => {
    const { ask, source, saves } = scene({ window: 1 });
    const quick = ask();
    const slow = ask({ id: 'slow' });
    source(0).head();
    source(0).send('ab');
    slow.valve.next(false);
    source(0).send('cd');
    quick.leave();
    expect(saves).toEqual([]);
    slow.valve.next(true);
    source(1).head(2);
    source(1).send('cdefghij');
    source(1).end();
    expect(slow.report()).toMatchObject({ outcome: 'complete', recorded: true });
    expect(saves.map(({ requestId }) => requestId)).toEqual(['slow']);
  });

  it('lets several clients continue from the same byte, each with its own transfer', () => {
    const { ask, source } = scene({ window: 1 });
    ask();
    const slow = [ask(), ask()];
    source(0).head();
    source(0).send('ab');
    for (const { valve } of slow) valve.next(false);
    source(0).send('cd');
    for (const [index, { valve, seen }] of slow.entries()) {
      valve.next(true);
      source(index + 1).head(2);
      source(index + 1).send('cdefghij');
      source(index + 1).end();
      expect(seen).toMatchObject({ body: CONTENT, end: 'complete' });
    }
  });

  it('withholds a wrong end from a client that continued alone', () => {
    const { ask, source } = scene({ window: 1 });
    ask();
    const slow = ask();
    source(0).head();
    source(0).send('ab');
    slow.valve.next(false);
    source(0).send('cd');
    slow.valve.next(true);
    source(1).head(2);
    source(1).send('cdefghiX');
    source(1).end();
    expect(slow.seen).toMatchObject({ body: 'abcdefghi', end: 'error', error: { code: 'WRONG_CHECKSUM' } });
  });

  it('pauses while all clients are paused', () => {
    const { ask, source } = scene();
    const one = ask();
    const two = ask();
    source(0).head();
    one.valve.next(false);
    expect(source(0).valve()).toBe(true);
    two.valve.next(false);
    expect(source(0).valve()).toBe(false);
    one.valve.next(true);
    expect(source(0).valve()).toBe(true);
  });

  it('serves late joiners from the first byte, or with another transfer if that byte is gone', () => {
    const { ask, source, opened } = scene({ window: 3 });
    ask();
    source(0).head();
    source(0).send('abc');
    expect(ask().seen).toMatchObject({ heads: 1, body: 'abc' });
    source(0).send('d');
    expect(ask().seen).toMatchObject({ heads: 0, body: '' });
    expect(opened).toHaveLength(2);
  });

  it('outlives its first client, and ends with its last', () => {
    const { ask, source } = scene();
    const first = ask();
    const second = ask();
    source(0).head();
    source(0).send('ab');
    first.leave();
    expect(first.report()).toMatchObject({ outcome: 'left', bytes: 2 });
    source(0).send('cd');
    expect(second.seen.body).toBe('abcd');
    second.leave();
    expect(source(0).events.observed).toBe(false);
  });

  it('serves a range to all clients that request it, if an entity tag proves the rest', () => {
    const { ask, source, opened } = scene({ entry: anEntry(), window: 1 });
    const range = { ranges: [{ first: 2, last: 6 }] };
    const quick = ask(range);
    const slow = ask(range);
    ask({ ranges: [{ first: 3, last: 6 }] });
    expect(opened.map(({ asked }) => asked)).toEqual(['2 6', '3 6']);
    source(0).head(2, '"1"');
    source(0).send('cd');
    expect(slow.seen.body).toBe('cd');
    slow.valve.next(false);
    source(0).send('ef');
    expect(opened.at(-1)?.asked).toBe('4 6 "1"');
    source(0).send('g');
    source(0).end();
    slow.valve.next(true);
    source(2).head(4, '"1"');
    source(2).send('efg');
    source(2).end();
    for (const { seen } of [quick, slow]) expect(seen).toMatchObject({ heads: 1, body: 'cdefg', end: 'complete' });
  });

  it('is not joined if neither checksum nor entity tag proves the rest', () => {
    const { ask, source, opened } = scene({ entry: anEntry() });
    const first = ask();
    const second = ask();
    expect(opened).toHaveLength(1);
    source(0).head();
    source(0).send(CONTENT);
    source(0).end();
    expect(opened).toHaveLength(2);
    source(1).head();
    source(1).send(CONTENT);
    source(1).end();
    for (const { seen } of [first, second]) expect(seen).toMatchObject({ heads: 1, body: CONTENT, end: 'complete' });
  });

  it('is that of what was found, by whatever path a client asks for it', () => {
    const { ask, opened, source } = scene();
    const clients = ['/p/', '/p/index.html', '/p/index.htm%6c'].map((path) => ask({ path }));
    source(0).head();
    source(0).send(CONTENT);
    source(0).end();
    for (const { seen } of clients) expect(seen).toMatchObject({ body: CONTENT, end: 'complete' });
    expect(opened).toHaveLength(1);
  });

  it.each<[string, Partial<CatalogEntry>]>([
    ['lifetime', { maxAge: 1000 }],
    ['validators', { replaced: true }],
    ['revision', { asOf: 'revision 1' }],
  ])('is not that of a view with another %s', (_, more) => {
    const { ask, opened, found } = scene();
    ask();
    found(more);
    ask();
    expect(opened).toHaveLength(2);
  });

  it('excludes HEAD, conditions, exclusive requests, and those that differ in `save`', () => {
    const { ask, opened } = scene();
    ask();
    ask({ method: 'HEAD' });
    ask({ conditions: { ifModifiedSince: 0 } });
    ask({ exclusive: true });
    ask({ save: false });
    expect(opened).toHaveLength(5);
  });
});

describe('the bytes of a transfer whose client takes nothing for a second', () => {
  it('wait on disk, from where the client reads them, digested again', () => {
    for (const [end, expected] of [
      ['j', { body: CONTENT, end: 'complete' }],
      ['X', { end: 'error', error: { code: 'WRONG_CHECKSUM' } }],
    ] as const) {
      const { ask, source, lag, spilled } = scene({ room: 100, window: 2 });
      const slow = ask();
      source(0).head();
      source(0).send('abc');
      slow.valve.next(false);
      source(0).send('d');
      expect(source(0).valve()).toBe(false);
      lag();
      expect(source(0).valve()).toBe(true);
      source(0).send(`efghi${end}`);
      source(0).end();
      expect([slow.seen.body, slow.seen.notes.includes('on-disk'), spilled]).toEqual(['abc', true, [3]]);
      slow.valve.next(true);
      expect(slow.seen).toMatchObject({ heads: 1, ...expected });
    }
  });

  it('wait at a source that is a file', () => {
    const { ask, source, lag, spilled } = scene({ room: 100, source: { url: 'file:///a' } });
    const slow = ask();
    source(0).head();
    source(0).send('abc');
    slow.valve.next(false);
    lag();
    expect([source(0).valve(), spilled]).toEqual([false, []]);
  });

  it('are proven by their own digest if the client then continues alone', () => {
    for (const [first, rest, end] of [
      ['ab', 'ghij', 'complete'],
      ['', 'ghij', 'complete'],
      ['ab', 'ghiX', 'error'],
      ['', 'ghiX', 'error'],
    ] as const) {
      const { ask, source, lag } = scene({ room: 6, window: 2 });
      const quick = ask({ id: 'quick' });
      const slow = ask({ id: 'slow' });
      if (first === '') slow.valve.next(false);
      source(0).head();
      source(0).send('ab');
      slow.valve.next(false);
      lag();
      source(0).send('cdefghi');
      slow.valve.next(true);
      expect(slow.seen).toMatchObject({ body: 'abcdef', behind: [6] });
      source(1).head(6);
      source(1).send(rest);
      source(1).end();
      expect(slow.seen).toMatchObject({ heads: 1, end });
      expect(slow.report()?.verified).toBe(end === 'complete' ? 'sha256' : undefined);
      expect(quick.seen.body).toBe('abcdefghi');
    }
  });

  it('are read up to the middle of a chunk that others still have in memory', () => {
    const { ask, source, lag } = scene({ room: 100, piece: 3 });
    const quick = ask({ id: 'quick' });
    const slow = ask({ id: 'slow' });
    source(0).head();
    slow.valve.next(false);
    source(0).events.next(chunk('abcd'));
    lag();
    quick.valve.next(false);
    source(0).events.next(chunk('efgh'));
    slow.valve.next(true);
    expect(slow.seen.body).toBe('abcdefgh');
    quick.valve.next(true);
    source(0).events.next(chunk('ij'));
    source(0).end();
    for (const { seen, report } of [quick, slow]) {
      expect(seen).toMatchObject({ heads: 1, body: CONTENT, end: 'complete' });
      expect(report()).toMatchObject({ bytes: 10, verified: 'sha256' });
    }
  });

  it('are digested after those that came from memory in between', () => {
    const { ask, source, lag } = scene({ room: 6, window: 2 });
    ask({ id: 'quick' });
    const slow = ask({ id: 'slow' });
    source(0).head();
    source(0).send('ab');
    slow.valve.next(false);
    lag();
    source(0).send('c');
    slow.valve.next(true);
    source(0).send('d');
    expect(slow.seen.body).toBe('abcd');
    slow.valve.next(false);
    lag();
    source(0).send('efghi');
    slow.valve.next(true);
    expect(slow.seen).toMatchObject({ body: 'abcdef', behind: [6] });
    source(1).head(6);
    source(1).send('ghij');
    source(1).end();
    expect(slow.seen).toMatchObject({ body: CONTENT, end: 'complete' });
    expect(slow.report()?.verified).toBe('sha256');
  });

  it.each<[string, CatalogEntry, { ranges?: ByteRange[] }, string]>([
    ['nothing but a tag proves them', anEntry(), {}, CONTENT],
    ['they are a part', entryOf(CONTENT), { ranges: [{ first: 2, last: 8 }] }, 'cdefghi'],
    ['they are a part, until the end', entryOf(CONTENT), { ranges: [{ first: 2 }] }, 'cdefghij'],
  ])('wait although %s, and the client may then continue alone', (_, entry, request, body) => {
    for (const before of [0, 2]) {
      const { ask, source, lag } = scene({ room: 4, window: 2, entry });
      ask({ id: 'quick', ...request });
      const slow = ask({ id: 'slow', ...request });
      const [{ first } = { first: 0 }] = request.ranges ?? [];
      if (before === 0) slow.valve.next(false);
      source(0).head(first, '"1"');
      source(0).send(body.slice(0, 2));
      slow.valve.next(false);
      expect(slow.seen.body).toBe(body.slice(0, before));
      lag();
      source(0).send(body.slice(2));
      slow.valve.next(true);
      expect(slow.seen).toMatchObject({ body: body.slice(0, 4), behind: [first + 4] });
      source(1).head(first + 4, '"1"');
      source(1).send(body.slice(4));
      source(1).end();
      expect(slow.seen).toMatchObject({ heads: 1, body, end: 'complete' });
    }
  });

  it('wait for nobody once a request with conditions has left', () => {
    const { ask, source } = scene({ room: 100 });
    const only = ask({ conditions: { ifModifiedSince: 0 } });
    source(0).head();
    source(0).send('ab');
    only.leave();
    expect(source(0).events.observed).toBe(false);
  });

  it('wait although the request has conditions, without being shared', () => {
    const { ask, source, opened, lag, spilled } = scene({ room: 100 });
    const all = ['one', 'two'].map((id) => ask({ id, conditions: { ifModifiedSince: 0 } }));
    expect(opened).toHaveLength(2);
    for (const [index, { valve }] of all.entries()) {
      source(index).head();
      source(index).send('ab');
      valve.next(false);
    }
    lag();
    expect(spilled).toHaveLength(2);
    for (const [index, { valve, seen }] of all.entries()) {
      source(index).send('cdefghij');
      source(index).end();
      valve.next(true);
      expect(seen).toMatchObject({ body: CONTENT, end: 'complete' });
    }
  });

  it('wait although nothing is shared', () => {
    const { ask, source, opened, lag, spilled, sharing } = scene({ room: 100, window: 0 });
    expect(sharing).toMatchObject({ shares: false, spills: true });
    const [slow] = [ask({ id: 'one' }), ask({ id: 'two' })];
    expect(opened).toHaveLength(2);
    source(0).head();
    source(0).send('ab');
    slow.valve.next(false);
    lag();
    expect([source(0).valve(), spilled.length]).toEqual([true, 1]);
  });
});

describe('who shares a transfer', () => {
  it('is nobody without a window', () => {
    const { ask, opened, sharing } = scene({ window: 0 });
    expect(sharing).toMatchObject({ shares: false, spills: false });
    ask();
    ask();
    expect(opened).toHaveLength(2);
  });

  it('are clients that find the same entries', () => {
    let revision = 0;
    const { ask, opened } = scene({
      entry: () => {
        revision += 1;
        return entryOf(CONTENT, { revision });
      },
    });
    ask();
    ask();
    expect(opened).toHaveLength(2);
  });

  it('are clients that all need the length, or none of which does', () => {
    const { ask, opened } = scene();
    ask();
    ask({ lengthRequired: true });
    expect(opened).toHaveLength(2);
    ask({ lengthRequired: false });
    ask({ lengthRequired: true });
    expect(opened).toHaveLength(2);
    const other = scene();
    other.ask({ lengthRequired: false });
    other.ask({ lengthRequired: true });
    expect(other.opened).toHaveLength(2);
  });

  it('are clients of a part that is cut, with those of a whole that is saved', () => {
    const { ask, opened } = scene();
    ask();
    ask({ cut: true, save: false });
    expect(opened).toHaveLength(1);
    const other = scene();
    other.ask({ save: false });
    other.ask({ cut: true });
    expect(other.opened).toHaveLength(2);
  });

  it('are those who come for another part of a whole soon after the last one has left', () => {
    for (const [cut, transfers] of [
      [true, 1],
      [false, 2],
    ] as const) {
      const { ask, source, opened } = scene({ room: 100 });
      const first = ask({ cut });
      source(0).head();
      source(0).send('ab');
      first.leave();
      ask({ cut });
      expect(opened).toHaveLength(transfers);
    }
  });

  it('are those who come while a small rest is read to its end, until the end of the daemon', () => {
    for (const [closes, transfers] of [
      [false, 1],
      [true, 2],
    ] as const) {
      const { ask, source, opened, sharing } = scene({ room: 100, finishBelow: 100 });
      const first = ask();
      source(0).head();
      source(0).send('ab');
      first.leave();
      if (closes) sharing.close();
      ask();
      expect(opened).toHaveLength(transfers);
    }
  });

  it('are none who come after the last client, if it had an earlier revision: the newest may be there again', () => {
    for (const [older, transfers] of [
      [undefined, 1],
      [{ ...entryOf(CONTENT), revision: 0 }, 2],
    ] as const) {
      const { ask, source, opened } = scene({
        ...{ room: 100, finishBelow: 100, entry: older ? entryOf('jihgfedcba') : entryOf(CONTENT) },
        ...(older && { older }),
      });
      const first = ask();
      source(0).head();
      source(0).send('ab');
      first.leave();
      ask();
      expect(opened).toHaveLength(transfers);
    }
  });

  it('says at which byte of the content a client fell behind', () => {
    const { ask, source } = scene({ window: 1 });
    const range = { ranges: [{ first: 2, last: 6 }] };
    ask(range);
    const slow = ask(range);
    source(0).head(2, '"1"');
    source(0).send('cd');
    slow.valve.next(false);
    source(0).send('efg');
    expect(slow.seen.behind).toEqual([4]);
  });

  it('ends without entries', () =>
    marbles(({ cold, expectObservable }) => {
      const { sharing } = scene();
      const shared = share({ sharing, newDigest }, () => operate(() => ({ next: () => {} })));
      const lists = cold<readonly CatalogEntry[]>('--|');
      expectObservable(lists.pipe(under(NEVER, shared(aRequest())))).toBe('--|');
    }));
});

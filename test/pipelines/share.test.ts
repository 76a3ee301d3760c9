import { describe, expect, it } from '@jest/globals';
import { BehaviorSubject, of, Subject, VirtualTimeScheduler } from 'rxjs';
import {
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
import type { Valve } from '../../pipelines/operators/valve.ts';
import {
  aCandidate,
  anEntry,
  aPolicy,
  chunk,
  entryOf,
  fetched,
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
}: {
  entry?: CatalogEntry;
  window?: number;
  memory?: number;
} = {}) => {
  const opened: { readonly asked: string; readonly events: Subject<SourceEvent>; readonly valve: () => boolean }[] = [];
  const saves: SaveRequest[] = [];
  const kept: string[] = [];
  let differs: Partial<CatalogEntry> = {};
  const deps = {
    catalog: { lookup: () => of({ ...entry, ...differs }) },
    sources: [() => of(aCandidate('a', entry))],
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
    sharing: createSharing({ window, memory }),
  };
  const ask = (more: Partial<StreamRequest> = {}) => {
    const valve = new BehaviorSubject(true);
    const seen = { body: '', heads: 0, notes: [] as string[], end: '', error: undefined as StreamError | undefined };
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
        else if (isNote(event)) seen.notes.push(event.type);
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
  return { ask, source, opened, saves, kept, found };
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
    slow.valve.next(false);
    source(0).send('cd');
    expect(opened.at(-1)?.asked).toBe('2 6 "1"');
    source(0).send('efg');
    source(0).end();
    slow.valve.next(true);
    source(2).head(2, '"1"');
    source(2).send('cdefg');
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

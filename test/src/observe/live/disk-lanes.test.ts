import { describe, expect, it } from '@jest/globals';
import { asyncScheduler, filter, Subject } from 'rxjs';
import type { Chunk, CopyProgress, Head, Note } from '../../../../pipelines/index.ts';
import type { Basin } from '../../../../pipelines/operators/basin.ts';
import { framesOf, type LiveFrame } from '../../../../src/observe/live/frames.ts';
import { createMirror } from '../../../../src/observe/live/mirror.ts';
import { copyWord, diskSentence, lanesOf } from '../../../../src/observe/live/model/disk.ts';
import { applyFrame, applySnapshot, emptyState, type LiveState } from '../../../../src/observe/live/model/state.ts';
import type { Stream } from '../../../../src/observe/live/model/stream.ts';
import { rateOf, sentenceOf, wordOf } from '../../../../src/observe/live/model/words.ts';
import { createTiles } from '../../../../src/observe/live/tiles.ts';
import { createTraffic, type SeenTraffic } from '../../../../src/observe/live/traffic.ts';
import { reportTraffic } from '../../../../src/observe/live/traffic-news.ts';
import { entered } from '../../../support/entered.ts';
import { aCandidate, entryOf, headOf, marbles } from '../../../support/pipeline.ts';

const MIB = 1 << 20;
const feed = aCandidate('feed:cdn', entryOf('0123456789'));
const attempt: Head | Chunk | Note = { type: 'attempt', candidate: feed, from: 0 };

type Progress = { -readonly [Name in keyof CopyProgress]: CopyProgress[Name] };

/** One stream with a copy in the making, in virtual time. It has its head at 0. */
interface Scene {
  readonly copy: Progress;
  /** The client gets bytes. */
  send(bytes: number): void;
  emit(event: Head | Chunk | Note): void;
  end(): void;
  /** Where its bytes are read from, if they wait in the copy. */
  readonly basin: Basin<never>;
  at(milliseconds: number, play: () => void): void;
}

interface Looking {
  /** Milliseconds from which somebody looks. */
  readonly from?: number;
  /** Whether another process has the streams. */
  readonly apart?: boolean;
  readonly head?: Partial<Head>;
  /** Events before the head. */
  readonly before?: readonly (Head | Chunk | Note)[];
}

/** What a viewer knows of the stream at these moments. Frames come each 250 ms. */
const seen = (play: (scene: Scene) => void, moments: readonly number[], looking: Looking = {}): readonly Stream[] => {
  const { from = 0, apart = false, head, before = [attempt] } = looking;
  const found: Stream[] = [];
  const last = Math.max(...moments) + 1;
  marbles(({ expectObservable, flush }) => {
    const now = () => asyncScheduler.now();
    const traffic = createTraffic(now);
    const at = (milliseconds: number, work: () => void) => void asyncScheduler.schedule(work, milliseconds);
    const copy: Progress = { taken: 0, written: 0 };
    const basin = { from: 0, to: 0 } as Basin<never>;
    const events = new Subject<Head | Chunk | Note>();
    const emit = (event: Head | Chunk | Note) => events.next(event);
    entered(traffic, { id: 'one', path: '/one.rpm', client: '10.0.0.1' }, events).subscribe();
    at(0, () => {
      for (const event of before) emit(event);
      emit(headOf(feed, { length: 8 * MIB, copy, basin, ...head }));
    });
    play({
      ...{ copy, basin, emit, at },
      send: (bytes) => emit({ type: 'chunk', bytes: new Uint8Array(bytes) }),
      end: () => events.complete(),
    });
    const watched = apart ? mirrored(traffic, last) : traffic;
    const state = emptyState();
    const frames = framesOf({
      ...{ traffic: watched, tiles: createTiles({ traffic, received: () => 0, pending: () => 0 }) },
      ...{ prefixOf: () => '/', showClient: (client: string) => client, scheduler: asyncScheduler },
      side: () => ({
        ...{ ready: true, degraded: [], sources: [], prefixes: [], morePrefixes: 0 },
        process: { memory: 0, delay: 0, started: 0, version: '1' },
      }),
    });
    at(from, () => {
      const looks = frames.subscribe((frame) => take(state, frame));
      at(last - from, () => looks.unsubscribe());
    });
    for (const moment of moments) at(moment, () => found.push(structuredClone(state.streams.get('one') as Stream)));
    expectObservable(events);
    flush();
  });
  return found;
};

const take = (state: LiveState, { frame, snapshot }: LiveFrame): void => {
  if (state.side === undefined) applySnapshot(state, JSON.parse(JSON.stringify(snapshot())));
  else applyFrame(state, JSON.parse(JSON.stringify(frame)));
};

/** The traffic as another process knows it, from news each 100 ms. */
const mirrored = (traffic: SeenTraffic, until: number): SeenTraffic => {
  const mirror = createMirror(() => asyncScheduler.now());
  mirror.wanted.pipe(filter(Boolean)).subscribe(() => {
    const report = reportTraffic(traffic);
    for (let at = 0; at < until; at += 100)
      asyncScheduler.schedule(() => {
        const news = JSON.parse(JSON.stringify(report.take(asyncScheduler.now())));
        mirror.tell(0, { ...news, sources: [], delay: 0 });
      }, at);
  });
  return mirror;
};

const names = (stream: Stream, now: number) => lanesOf(stream, now).map((lane) => stream.lanes[lane]);
const marksOf = ({ marks, lanes }: Stream) =>
  marks.map(({ at, lane, kind }) => `${at} ${kind} ${lanes[lane] ?? ''}`.trim());
/** The bytes of a lane by second. */
const bytesOf = ({ bytes, lanes }: Stream, name: string) =>
  bytes.flatMap(([second, lane, count]) => ((lanes[lane] ?? 'client') === name ? [[second, count]] : []));

describe.each([
  ['in this process', false],
  ['in another process', true],
])('the copy of a stream %s', (_, apart) => {
  it('has a lane with its own bytes, and the source the bytes that it sent, however slow the client is', () => {
    const [runs, over] = seen(
      ({ copy, basin, at, emit, send, end }) => {
        at(10, () => Object.assign(copy, { taken: 3 * MIB, written: MIB }));
        at(20, () => send(MIB));
        at(1010, () => emit({ type: 'on-disk', basin }));
        // Between two frames, the last of them in the next second.
        at(1990, () => Object.assign(copy, { taken: 8 * MIB, written: 8 * MIB, whole: 1990 }));
        at(1995, () => Object.assign(copy, { end: { at: 1995, how: 'kept' } }));
        at(4100, () => send(7 * MIB));
        at(4200, end);
      },
      [3900, 5000],
      { apart },
    ) as [Stream, Stream];
    expect(names(runs, 3900)).toEqual(['copy', 'feed:cdn']);
    expect(bytesOf(runs, 'copy')).toEqual([
      [0, MIB],
      [1000, 7 * MIB],
    ]);
    expect(bytesOf(runs, 'feed:cdn')).toEqual([
      [0, 3 * MIB],
      [1000, 5 * MIB],
    ]);
    expect(bytesOf(runs, 'client')).toEqual([[0, MIB]]);
    expect(runs.facts).toMatchObject({ copy: 'kept', copied: 8 * MIB, sent: MIB });
    expect(runs.facts.spilled).toBeUndefined();
    expect(marksOf(runs)).toEqual([
      ...['0 attempt feed:cdn', '0 head feed:cdn', '0 begun copy', '1010 on-disk'],
      ...['1995 kept copy', '1990 whole feed:cdn'],
    ]);
    expect(copyWord(runs)).toBe('kept');
    expect(sentenceOf(runs)).toBe(
      '/one.rpm, client 10.0.0.1; served by cdn; waits on disk for its client; copy kept; cdn has sent all; running.',
    );
    // What the client gets is no byte of the source, and is what the rate is of.
    expect(rateOf(runs, 3900)).toBe(MIB / 3);
    expect(bytesOf(over, 'feed:cdn')).toEqual([
      [0, 3 * MIB],
      [1000, 5 * MIB],
    ]);
    expect(bytesOf(over, 'client')).toEqual([
      [0, MIB],
      [4000, 7 * MIB],
    ]);
    expect(diskSentence(over)).toBe('Copy: 8.0 MiB, kept.');
  });

  it('falls behind if the disk has not what it was given two seconds ago, and catches up', () => {
    const [soon, late, well] = seen(
      ({ copy, at }) => {
        at(10, () => Object.assign(copy, { taken: 4 * MIB }));
        at(4100, () => Object.assign(copy, { written: 4 * MIB }));
      },
      [2100, 3100, 4600],
      { apart },
    ) as [Stream, Stream, Stream];
    expect(soon.facts.behind).toBeUndefined();
    expect(wordOf(late, 3100)).toEqual({ text: 'COPY 4.0 MiB behind', tone: 'slow', weight: 30 });
    expect(copyWord(late)).toBe('4.0 MiB behind');
    expect(sentenceOf(late)).toContain('its copy falls behind; running');
    expect(copyWord(well)).toBe('being kept');
    expect(sentenceOf(well)).toContain('its copy falls behind; its copy has caught up; running');
  });

  it('is not behind with bytes that a store gathers before it sends them', () => {
    const [late] = seen(({ copy, at }) => at(10, () => Object.assign(copy, { taken: 4 * MIB, queued: 0 })), [4000], {
      apart,
    }) as [Stream];
    expect(late.facts).toMatchObject({ copy: 'making', copied: 0 });
    expect(late.facts.behind).toBeUndefined();
  });

  it('is followed after the end of its stream, and given up with its reason, without secrets', () => {
    const reason = `https://me:pw@store/copies?X-Amz-Signature=s3cret says ${'x'.repeat(500)}`;
    const [ended, lost] = seen(
      ({ copy, at, send, end }) => {
        at(10, () => Object.assign(copy, { taken: 10, written: 10, whole: 10 }));
        at(20, () => send(10));
        at(30, end);
        at(3100, () => Object.assign(copy, { end: { at: 3100, how: 'given-up', reason } }));
      },
      [2900, 3600],
      { apart },
    ) as [Stream, Stream];
    expect([copyWord(ended), ended.facts.outcome]).toEqual(['whole, not in its place yet', 'complete']);
    expect(names(ended, 2900)).toEqual(['copy', 'feed:cdn']);
    expect(wordOf(lost, 3600)).toEqual({ text: 'COPY GIVEN UP', tone: 'slow', weight: 35 });
    expect(copyWord(lost)).toMatch(/^given up: https:\/\/\*\*\*@store\/copies\?\*\*\* says x{100,180}…$/);
    expect(JSON.stringify(lost)).not.toMatch(/s3cret|pw/);
    expect(names(lost, 3600)).toEqual(['copy', 'feed:cdn']);
    // Its outcome is told once.
    expect(marksOf(lost).filter((mark) => /end|given-up/.test(mark))).toEqual([
      '30 end feed:cdn',
      '3100 given-up copy',
    ]);
  });

  it('has no lane if all went well and quickly', () => {
    const [young, over] = seen(
      ({ copy, at, send, end }) => {
        at(10, () => Object.assign(copy, { taken: 10 }));
        at(20, () => send(10));
        at(600, () => Object.assign(copy, { written: 10, whole: 600, end: { at: 610, how: 'kept' } }));
        at(610, end);
      },
      [300, 2900],
      { apart },
    ) as [Stream, Stream];
    expect(names(young, 300)).toEqual(['feed:cdn']);
    expect(names(over, 2900)).toEqual(['feed:cdn']);
    expect(lanesOf(over, 2900, true)).toHaveLength(2);
    expect(copyWord(over)).toBe('kept');
  });
});

describe('bytes that came before', () => {
  const play = ({ copy, at, send }: Scene) => {
    at(10, () => Object.assign(copy, { taken: 4 * MIB, written: 4 * MIB }));
    at(20, () => send(MIB));
    at(1020, () => send(MIB));
    at(1030, () => Object.assign(copy, { taken: 6 * MIB, written: 6 * MIB }));
  };

  it('somebody looked are not drawn, since nobody knows their second', () => {
    const [late] = seen(play, [1900], { from: 500 }) as [Stream];
    expect(bytesOf(late, 'copy')).toEqual([[1000, 2 * MIB]]);
    expect(bytesOf(late, 'feed:cdn')).toEqual([[1000, 2 * MIB]]);
    expect(late.facts.copied).toBe(6 * MIB);
  });

  it('a stream joined a transfer are none that the source has sent for it', () => {
    const join = (scene: Scene) => {
      Object.assign(scene.copy, { taken: 4 * MIB, written: 4 * MIB });
      play(scene);
    };
    const [joined] = seen(join, [1900], { before: [{ type: 'shared' }] }) as [Stream];
    expect(bytesOf(joined, 'feed:cdn')).toEqual([
      [0, MIB],
      [1000, MIB],
    ]);
    expect(bytesOf(joined, 'copy')).toEqual([[1000, 2 * MIB]]);
  });
});

it.each([false, true])('a spill has a lane with the bytes that wait on disk; in another process: %s', (apart) => {
  const spill = { from: MIB, to: MIB };
  const [waits] = seen(
    ({ at, emit, send }) => {
      at(20, () => send(MIB));
      at(1010, () => emit({ type: 'on-disk', basin: spill }));
      at(1020, () => {
        spill.to = 5 * MIB;
      });
    },
    [1900],
    { apart, head: { copy: undefined, basin: undefined } },
  ) as [Stream];
  expect(names(waits, 1900)).toEqual(['spill', 'feed:cdn']);
  expect(waits.facts).toMatchObject({ spilled: 4 * MIB });
  expect(waits.facts.copy).toBeUndefined();
  expect(bytesOf(waits, 'spill')).toEqual([[1000, 4 * MIB]]);
  expect(bytesOf(waits, 'feed:cdn')).toEqual([
    [0, MIB],
    [1000, 4 * MIB],
  ]);
  expect(diskSentence(waits)).toBe('On disk for this client alone: 4.0 MiB.');
});

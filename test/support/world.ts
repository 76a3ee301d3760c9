import {
  BehaviorSubject,
  concat,
  distinctUntilChanged,
  of,
  type SchedulerLike,
  tap,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import {
  type Ask,
  type ByteRange,
  createFlow,
  createHealth,
  createSharing,
  deferFlow,
  type Flow,
  flow,
  type LazyFetchDeps,
  lazyFetch,
  lift,
  type OpenSource,
  type Policy,
  type Report,
  resolveRange,
  type SourceEvent,
  StreamError,
  type StreamEvent,
} from '../../pipelines/index.ts';
import { aCandidate, aPolicy, aRequest, bytesOf, entryOf, nameAt, newDigest, sourceHead } from './pipeline.ts';

/** The outcome of one attempt at a source. `at` is a byte of the whole content. */
export type Fate =
  | { readonly kind: 'good' }
  | { readonly kind: 'refuses' | 'has-no-head' | 'wrong-length' | 'throws' }
  | { readonly kind: 'dies' | 'stalls' | 'ends-short' | 'wrong-content'; readonly at: number }
  | { readonly kind: 'runs-on' | 'ignores-range' | 'changed' }
  /** A saved copy, whose bytes are checked: it ends at a wrong one. */
  | { readonly kind: 'checks'; readonly at: number };

/** A whole history, as values: the same plan always leads to the same history. */
export interface Plan {
  readonly content: string;
  readonly checksum: boolean;
  /** Whether the catalog has the size, and whether the sources announce the length. */
  readonly sizeKnown: boolean;
  readonly lengthAnnounced: boolean;
  /** For each source the outcomes of its attempts; the last one repeats. */
  readonly sources: readonly (readonly Fate[])[];
  /** Bytes of a source's chunks, in turn. */
  readonly chunkSizes: readonly number[];
  /** Milliseconds before each event of a source, in turn. */
  readonly gaps: readonly number[];
  /**
   * Milliseconds for which the valve is open and closed, in turn; it stays open after the last one.
   */
  readonly valve: readonly number[];
  /** When the consumer unsubscribes, if it does. */
  readonly leavesAt: number | undefined;
  /** Milliseconds after which a second source is asked for its head; undefined: never. */
  readonly hedgeAfter: number | undefined;
  readonly policy: Partial<Policy>;
  /** The requested range; absent: the whole content. */
  readonly range?: ByteRange;
}

export interface History {
  readonly events: readonly (readonly [frame: number, event: StreamEvent])[];
  readonly ending: { readonly frame: number; readonly kind: 'complete' | 'error' | 'left'; readonly error?: unknown };
  readonly reports: readonly Report[];
  /** Sources and valve subscriptions still held after the end. */
  readonly leaks: number;
  /** The maximum of chunks emitted during one closed phase of the valve. */
  readonly chunksWhileClosed: number;
  /** The events of each request to a source, with their times: its line of a marble diagram. */
  readonly tracks: readonly Track[];
  /** When the consumer's valve was opened and closed. */
  readonly moves: readonly (readonly [frame: number, open: boolean])[];
}

/** `^` for a request, `!` for its cancellation, `h` for the head, `3b` for three bytes. */
export interface Track {
  readonly name: string;
  readonly marks: (readonly [frame: number, mark: string])[];
}

const lost = (what: string) => new StreamError('CONNECTION_LOST', 'feed', what);

const turn = (list: readonly number[], index: number): number => list[index % list.length] ?? 1;

/** A source in virtual time that honours its valve and then has its planned outcome. */
const play = (plan: Plan, fate: Fate, { from: start, last: end }: Ask, time: SchedulerLike): Flow<SourceEvent> => {
  if (fate.kind === 'throws') throw new Error('thrown on purpose');
  const whole = bytesOf(plan.content);
  const part = resolveRange({ first: start, last: end }, whole.length) ?? { first: start, last: whole.length - 1 };
  const asked = part.first;
  const ignoresRange = fate.kind === 'ignores-range';
  const from = ignoresRange ? 0 : asked;
  const last = ignoresRange || part.last === whole.length - 1 ? undefined : part.last;
  const length = fate.kind === 'wrong-length' ? whole.length + 1 : whole.length;
  const body = fate.kind === 'wrong-content' ? whole.map((byte, at) => (at === fate.at ? byte ^ 1 : byte)) : whole;
  const sent = fate.kind === 'runs-on' ? Uint8Array.from([...body, 33, 33]) : body;
  const until = last === undefined ? sent.length : last + 1;
  const stop = 'at' in fate && fate.kind !== 'wrong-content' ? Math.min(until, Math.max(from, fate.at)) : until;

  return createFlow<SourceEvent>((sink) => {
    let position = from;
    let paused = false;
    let headSent = false;
    let said = 0;
    const gap = () => turn(plan.gaps, said++);
    const step = time.schedule(function () {
      if (fate.kind === 'refuses') return sink.error(new StreamError('CONNECT_FAILED', 'feed', 'refused'));
      if (fate.kind === 'has-no-head') return;
      if (position === from && !headSent) {
        headSent = true;
        const etag = fate.kind === 'changed' && asked > 0 ? '"new"' : '"old"';
        const checked = fate.kind === 'checks';
        const announced = plan.lengthAnnounced || from > 0 || checked;
        sink.ahead(sourceHead({ from, etag, last, ...(announced && { length }), ...(checked && { checked }) }));
      } else if (!paused && position < stop) {
        const end = Math.min(stop, position + turn(plan.chunkSizes, said));
        const bytes = sent.subarray(position, end);
        position = end;
        sink.next({ type: 'chunk', bytes });
      } else if (!paused && fate.kind === 'dies') return sink.error(lost('died'));
      else if (!paused && fate.kind === 'checks' && position < until)
        return sink.error(new StreamError('CHANGED', 'disk', 'changed'));
      else if (!paused && fate.kind === 'stalls') return;
      else if (!paused) return sink.complete();
      // Virtual time must advance while it waits.
      this.schedule(undefined, paused ? Math.max(1, gap()) : gap());
    }, gap());
    return {
      pause: () => {
        paused = true;
      },
      resume: () => {
        paused = false;
      },
      close: () => step.unsubscribe(),
    };
  });
};

/** Everything of a plan except the consumers. */
const makeBanks = (plan: Plan, time: VirtualTimeScheduler) => {
  const tracks: Track[] = [];
  let sourcesOpen = 0;
  const entry = entryOf(plan.content, {
    ...(plan.sizeKnown && { size: bytesOf(plan.content).length }),
    ...(!plan.checksum && { checksum: undefined }),
  });
  const blocks = { length: bytesOf(plan.content).length, crc32: new Uint32Array() };
  const candidates = plan.sources.map((fates, index) =>
    aCandidate(`s${index}`, entry, fates.every(({ kind }) => kind === 'checks') ? { blocks } : {}),
  );
  const tries = new Map<string, number>();
  const open: OpenSource = (location, ask) => {
    const name = nameAt(location);
    const fates = plan.sources[candidates.findIndex(({ url }) => url === location.url)] ?? [];
    const count = tries.get(name) ?? 0;
    tries.set(name, count + 1);
    const fate = fates[Math.min(count, fates.length - 1)] ?? { kind: 'good' };
    const track: Track = { name: `${name}@${ask.from}`, marks: [] };
    tracks.push(track);
    const mark = (text: string) => track.marks.push([time.now(), text]);
    const played = deferFlow((valve) => {
      sourcesOpen += 1;
      mark('^');
      return play(plan, fate, ask, time)(valve);
    });
    return flow(
      played,
      lift(
        tap({
          next: (event) => mark(event.type === 'head' ? 'h' : `${event.bytes.length}b`),
          complete: () => mark('|'),
          error: () => mark('#'),
          unsubscribe: () => mark('!'),
          finalize: () => --sourcesOpen,
        }),
      ),
    );
  };
  const health = createHealth({ cooldown: 50, cooldownLimit: 500, random: () => 0.5, scheduler: time });
  if (plan.hedgeAfter !== undefined)
    for (const { source } of candidates) for (let seen = 0; seen < 20; seen++) health.answered(source, plan.hedgeAfter);
  const deps: LazyFetchDeps = {
    catalog: { lookup: () => of(entry) },
    sources: [() => of(...candidates)],
    open,
    newDigest,
    policy: aPolicy({ readTimeout: 40, headTimeout: 40, hedge: plan.hedgeAfter !== undefined, ...plan.policy }),
    random: () => 0.5,
    scheduler: time,
    health,
  };
  return { deps, tracks, sourcesOpen: () => sourcesOpen };
};

type Way = Pick<Plan, 'valve' | 'leavesAt' | 'range'>;

/** A consumer that subscribes at once and records its events. */
const follow = (way: Way, deps: LazyFetchDeps, time: VirtualTimeScheduler) => {
  const events: [number, StreamEvent][] = [];
  const reports: Report[] = [];
  let ending: History['ending'] | undefined;
  let closedChunks = 0;
  let chunksWhileClosed = 0;

  const moves: [number, boolean][] = [];
  const valve = new BehaviorSubject(true);
  valve.pipe(distinctUntilChanged()).subscribe((open) => {
    moves.push([time.now(), open]);
    if (open) closedChunks = 0;
  });
  concat(...way.valve.map((milliseconds) => timer(milliseconds, time))).subscribe({
    next: () => valve.next(!valve.value),
    complete: () => valve.next(true),
  });
  const end = (kind: History['ending']['kind'], error?: unknown) => {
    ending ??= { frame: time.now(), kind, error };
  };
  const before = valve.observers.length;
  const request = aRequest({ ranges: way.range ? [way.range] : [] });
  const subscription = lazyFetch(request, { ...deps, report: (report) => reports.push(report) })(valve).subscribe({
    next: (event) => {
      events.push([time.now(), event]);
      if (event.type === 'chunk' && !valve.value) chunksWhileClosed = Math.max(chunksWhileClosed, ++closedChunks);
    },
    complete: () => end('complete'),
    error: (error) => end('error', error),
  });
  if (way.leavesAt !== undefined)
    timer(way.leavesAt, time).subscribe(() => {
      subscription.unsubscribe();
      end('left');
    });
  return () => {
    if (!ending) throw new Error('the request never ended');
    return { events, reports, ending, moves, chunksWhileClosed, observers: valve.observers.length - before };
  };
};

/** Plays a plan in virtual time and records everything. */
export const live = (plan: Plan): History => {
  const time = new VirtualTimeScheduler();
  const { deps, tracks, sourcesOpen } = makeBanks(plan, time);
  const told = follow(plan, deps, time);
  time.flush();
  const { observers, ...history } = told();
  return { ...history, tracks, leaks: sourcesOpen() + observers };
};

/**
 * The same for several consumers that arrive at different times and share their transfers; one
 * history each. `sharing` limits the shared bytes.
 */
export const liveTogether = (
  plan: Plan,
  mayFallBehind: readonly (Way & { readonly comesAt: number })[],
  sharing: Parameters<typeof createSharing>[0],
): readonly History[] => {
  const time = new VirtualTimeScheduler();
  const { deps, tracks, sourcesOpen } = makeBanks(plan, time);
  const shared = { ...deps, sharing: createSharing(sharing) };
  const histories: (() => Omit<History, 'tracks' | 'leaks'> & { readonly observers: number })[] = [];
  for (const way of mayFallBehind)
    timer(way.comesAt, time).subscribe(() => {
      histories.push(follow(way, shared, time));
    });
  time.flush();
  return histories.map((told) => {
    const { observers, ...history } = told();
    return { ...history, tracks, leaks: sourcesOpen() + observers };
  });
};

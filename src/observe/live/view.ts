import { sourceName } from '../../../pipelines/model/index.ts';
import { maskUrl } from '../../lib/mask.ts';
import { diskLanes } from './disk-lanes.ts';
import { type Cell, CLIENT, type Closed, COPY, type Facts, type Mark, type Patch, SPILL } from './model/wire.ts';
import { isOver, type Running, type SeenNote, timeOf } from './running.ts';

/** How clients are shown. */
export type ShowClient = (client: string) => string | undefined;

/** What viewers know of one request. */
export interface View {
  readonly running: Running;
  /** What is new since the last call; nothing if that is nothing. */
  take(now: number): Patch | undefined;
  /** Whether all was told that will ever happen to it. */
  over(now: number): boolean;
  /** Whether something happened to it that an operator wants to see. */
  eventful(): boolean;
  /** The source of its bytes at present; empty before the first. */
  source(): string;
}

/** Lanes of the sources of one stream. */
const LANES = 6;
const isOnDisk = (name: string): boolean => name === COPY || name === SPILL;

const secondOf = (at: number): number => Math.floor(at / 1000) * 1000;

/** Whether the copy that is known is that of another transfer from now on. */
const isOthers = ({ event }: SeenNote): boolean => event.type === 'shared' || event.type === 'behind';

/** The name of the source that an event is about, if it is about one. */
const nameOf = ({ event }: SeenNote): string | undefined =>
  'candidate' in event ? sourceName(event.candidate.source) : undefined;

/**
 * Translates the events of a request into what is drawn. Bytes that came before somebody looked are
 * counted, but not drawn: nobody knows their second.
 */
export const createView = (running: Running, late: boolean, showClient: ShowClient): View => {
  const lanes: string[] = [];
  let lane = CLIENT;
  let seen = 0;
  let sent = late ? running.sent : 0;
  let paused = late ? running.pausedFor() : 0;
  let bad = false;
  let first = 0;
  let told: Partial<Facts> | undefined;
  /** Whether its transfer is its own, so that all bytes of it have come since it began. */
  let own = !running.notes.some(isOthers);
  const disk = diskLanes(running, () => lane);
  /** Bytes that sources have sent. */
  let received = !late ? 0 : own ? Math.max(sent, disk.received()) : sent;

  const laneOf = (name: string, fresh: string[]): number => {
    const known = lanes.indexOf(name);
    if (known >= 0) return known;
    if (!isOnDisk(name) && lanes.filter((one) => !isOnDisk(one)).length === LANES)
      return lanes.findLastIndex((one) => !isOnDisk(one));
    fresh.push(name);
    return lanes.push(name) - 1;
  };

  const factsOf = (): Facts => {
    const { notes, end } = running;
    const head = notes.findLast(({ event }) => event.type === 'head')?.event;
    const known = head?.type === 'head' ? head : undefined;
    return {
      path: maskUrl(running.path),
      client: showClient(running.client),
      began: running.began,
      sent: running.sent,
      length: known?.length,
      digest: known?.whole && !known.candidate.unproven ? known.candidate.entry.checksum?.algorithm : undefined,
      proven: known?.verified || undefined,
      ...disk.facts(),
      paused: Math.round(running.pausedFor()),
      closed: (running.paused && !end) || undefined,
      outcome: end?.outcome,
      ended: end?.at,
      code: end?.code,
    };
  };

  /** The facts that changed. */
  const newFacts = (): Partial<Facts> | undefined => {
    const facts = factsOf();
    const before = told;
    told = facts;
    if (!before) return facts;
    const changed = Object.entries(facts).filter(([name, value]) => Reflect.get(before, name) !== value);
    return changed.length === 0 ? undefined : Object.fromEntries(changed.map(([name, value]) => [name, value ?? null]));
  };

  return {
    running,
    take: (now) => {
      const [fresh, marks, bytes]: [string[], Mark[], Cell[]] = [[], [], []];
      const count = (upTo: number, at: number) => {
        if (upTo > received && lane !== CLIENT) bytes.push([secondOf(at), lane, upTo - received]);
        received = Math.max(received, upTo);
      };
      for (; seen < running.notes.length; seen += 1) {
        const noted = running.notes[seen];
        if (!noted) break;
        const { event } = noted;
        const at = timeOf(running, noted);
        count(noted.sent, at);
        if (event.type === 'found') {
          for (const { source } of event.candidates) laneOf(sourceName(source), fresh);
          continue;
        }
        const name = nameOf(noted);
        const place = name === undefined ? CLIENT : laneOf(name, fresh);
        if (event.type === 'head') first = event.first;
        if (own && isOthers(noted)) {
          own = false;
          received = noted.sent;
        }
        if (event.type === 'head' || event.type === 'resumed') lane = place;
        if (event.type === 'failed' || event.type === 'resumed') bad = true;
        marks.push({ at, lane: place, kind: event.type, ...detailOf(noted, first) });
      }
      const { end } = running;
      const second = secondOf(end?.at ?? now);
      if (own) count(Math.max(running.sent, disk.received()), disk.whole() ?? second);
      else count(running.sent, second);
      if (running.sent > sent && disk.begun()) bytes.push([second, CLIENT, running.sent - sent]);
      sent = running.sent;
      disk.take(now, {
        late: (late && told === undefined) || !own,
        laneOf: (name) => laneOf(name, fresh),
        mark: (mark) => marks.push(mark),
        bytes: (place, count, at) => bytes.push([secondOf(at), place, count]),
      });
      const facts = newFacts();
      if (facts?.outcome && end)
        marks.push({ at: end.at, lane, kind: 'end', text: end.outcome === 'failed' ? end.code : end.outcome });
      const more = Math.min(1000, Math.round(running.pausedFor() - paused));
      const closed: Closed[] = more > 0 ? [[second, more]] : [];
      paused = running.pausedFor();
      if (!facts && marks.length + bytes.length + closed.length + fresh.length === 0) return undefined;
      return {
        id: running.id,
        ...(facts && { facts }),
        ...(fresh.length > 0 && { lanes: fresh }),
        ...(marks.length > 0 && { marks }),
        ...(bytes.length > 0 && { bytes }),
        ...(closed.length > 0 && { closed }),
      };
    },
    over: (now) => told?.outcome !== undefined && isOver(running, now) && told.copy === running.copy?.end?.how,
    eventful: () =>
      bad ||
      running.copy?.end?.how === 'given-up' ||
      running.notes.some(({ event }) => event.type === 'failed' || event.type === 'resumed'),
    source: () => lanes[lane] ?? '',
  };
};

const detailOf = ({ event, sent }: SeenNote, first: number): Pick<Mark, 'text' | 'from'> => {
  if (event.type === 'failed') return { text: event.error.code, ...(sent > 0 && { from: first + sent }) };
  if (event.type === 'attempt' || event.type === 'resumed' || event.type === 'behind') return { from: event.from };
  return {};
};

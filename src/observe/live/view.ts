import { sourceName } from '../../../pipelines/model/index.ts';
import { maskUrl } from '../../lib/mask.ts';
import { type Cell, CLIENT, type Closed, type Facts, type Mark, type Patch } from './model/wire.ts';
import type { Noted, Running } from './tap.ts';

/** How clients are shown. */
export type ShowClient = (client: string) => string | undefined;

/** What viewers know of one request. */
export interface View {
  readonly running: Running;
  /** What is new since the last call; nothing if that is nothing. */
  take(now: number): Patch | undefined;
  /** Whether something happened to it that an operator wants to see. */
  eventful(): boolean;
  /** The source of its bytes at present; empty before the first. */
  source(): string;
}

/** Lanes of one stream. */
const LANES = 6;

const secondOf = (at: number): number => Math.floor(at / 1000) * 1000;

/** The name of the source that an event is about, if it is about one. */
const nameOf = ({ event }: Noted): string | undefined =>
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
  let paused = 0;
  let bad = false;
  let first = 0;
  let told: Partial<Facts> | undefined;

  const laneOf = (name: string, fresh: string[]): number => {
    const known = lanes.indexOf(name);
    if (known >= 0 || lanes.length === LANES) return known < 0 ? LANES - 1 : known;
    fresh.push(name);
    return lanes.push(name) - 1;
  };

  const factsOf = (now: number): Facts => {
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
      paused: Math.round(running.pausedFor(now)),
      closed: (running.paused && !end) || undefined,
      outcome: end?.outcome,
      ended: end?.at,
      code: end?.code,
    };
  };

  /** The facts that changed. */
  const newFacts = (now: number): Partial<Facts> | undefined => {
    const facts = factsOf(now);
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
        if (upTo > sent && lane !== CLIENT) bytes.push([secondOf(at), lane, upTo - sent]);
        sent = Math.max(sent, upTo);
      };
      for (; seen < running.notes.length; seen += 1) {
        const noted = running.notes[seen];
        if (!noted) break;
        const { at, event } = noted;
        count(noted.sent, at);
        if (event.type === 'found') {
          for (const { source } of event.candidates) laneOf(sourceName(source), fresh);
          continue;
        }
        const name = nameOf(noted);
        const own = name === undefined ? CLIENT : laneOf(name, fresh);
        if (event.type === 'head') first = event.first;
        if (event.type === 'head' || event.type === 'resumed') lane = own;
        if (event.type === 'failed' || event.type === 'resumed') bad = true;
        marks.push({ at, lane: own, kind: event.type, ...detailOf(noted, first) });
      }
      const { end } = running;
      count(running.sent, end?.at ?? now);
      const facts = newFacts(now);
      if (facts?.outcome && end)
        marks.push({ at: end.at, lane, kind: 'end', text: end.outcome === 'failed' ? end.code : end.outcome });
      const more = Math.min(1000, Math.round(running.pausedFor(now) - paused));
      const closed: Closed[] = more > 0 ? [[secondOf(end?.at ?? now), more]] : [];
      paused = running.pausedFor(now);
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
    eventful: () => bad || running.notes.some(({ event }) => event.type === 'failed' || event.type === 'resumed'),
    source: () => lanes[lane] ?? '',
  };
};

const detailOf = ({ event, sent }: Noted, first: number): Pick<Mark, 'text' | 'from'> => {
  if (event.type === 'failed') return { text: event.error.code, ...(sent > 0 && { from: first + sent }) };
  if (event.type === 'attempt' || event.type === 'resumed' || event.type === 'behind') return { from: event.from };
  return {};
};

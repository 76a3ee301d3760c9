import { catchError, concat, concatMap, defer, EMPTY, map, takeWhile } from 'rxjs';
import {
  type Ask,
  adjoined,
  type Candidate,
  errorSourceOf,
  type OpenSource,
  type Part,
  piecesOf,
  type SourceEvent,
  type SourceHead,
  StreamError,
  sizeOf,
  stateOf,
} from '../../model/index.ts';
import { deferFlow, flow, lift } from '../../operators/flow.ts';
import type { Flow } from '../../operators/valve.ts';
import { needsWhole } from './part-alone.ts';

/** A candidate without a problem. */
export type Usable = Exclude<Candidate, { readonly problem: StreamError }>;

/** The reason why an answer to a range is not a part. */
const WHOLE = 'sends the whole instead of a part';

/** Bytes that could have been transferred in the time that another request takes. */
const ROUND_TRIP = 256 * 1024;

/**
 * Opens a candidate for several parts, or for the rest of them. A feed is asked for all of them at
 * once. If it does not send exactly these, it is asked for one after the other; so is a file.
 *
 * Emits one head, then the bytes of the parts. Positions in `ask` and in the head are those of the
 * adjoined part, so that the body counts like one range. If the body `begins` with them, errors with
 * `NEEDS_WHOLE` if the candidate ignores ranges, or if the whole would cost less than the requests: a
 * body that has begun cannot be replaced by the whole. Errors with `CHANGED` if two parts belong to
 * different states of the content. Unsubscribing closes the source.
 */
export const openParts = (
  candidate: Usable,
  ask: Ask,
  parts: readonly [Part, ...Part[]],
  open: OpenSource,
  begins: boolean,
): Flow<SourceEvent> => {
  const { from, last = adjoined(parts).last } = ask;
  const [first, ...others] = piecesOf(parts, { first: from, last });
  if (!first) return open(candidate, ask);
  const counted = (event: SourceEvent): SourceEvent =>
    event.type === 'head' ? { ...event, from, last, parts: undefined } : event;
  const refuse = (what: string) => (begins ? needsWhole : failure)(candidate, what);
  const inTurn = flow(oneByOne(candidate, ask, [first, ...others], open, refuse), lift(map(counted)));
  const end = others.at(-1);
  if (!end || errorSourceOf(candidate) === 'disk') return inTurn;

  return deferFlow((valve) => {
    let accepted = false;
    let refused = false;
    const wanted = [first, ...others];
    const refusing = (total = candidate.entry.size): false => {
      if (begins && sizeOf(wanted) + wanted.length * ROUND_TRIP >= (total ?? Number.POSITIVE_INFINITY))
        throw refuse(`sends no ${wanted.length} parts at once, and has only ${total} bytes`);
      refused = true;
      return false;
    };
    const atOnce = open(candidate, { ...ask, from: first.first, last: end.last, parts: wanted })(valve).pipe(
      takeWhile((event) => {
        accepted ||= event.type === 'head' && event.parts !== undefined;
        return accepted || refusing(event.type === 'head' ? event.length : undefined);
      }),
      catchError((error: unknown) => {
        if (accepted || !(error instanceof StreamError) || error.code !== 'NO_RANGE') throw error;
        refusing();
        return EMPTY;
      }),
      map(counted),
    );
    return concat(
      atOnce,
      defer(() => (refused ? inTurn(valve) : EMPTY)),
    );
  });
};

/** The parts of a candidate, with a request each. Only the first head is emitted. */
const oneByOne = (
  candidate: Usable,
  ask: Ask,
  parts: readonly Part[],
  open: OpenSource,
  refuse: (what: string) => StreamError,
): Flow<SourceEvent> =>
  deferFlow((valve) => {
    let begun: SourceHead | undefined;
    const one = ({ first, last }: Part) =>
      defer(() => open(candidate, { ...ask, from: first, last, ifRange: begun?.etag ?? ask.ifRange })(valve)).pipe(
        concatMap((event): readonly SourceEvent[] => {
          if (event.type === 'chunk') return [event];
          const isPart = event.from === first && last === (event.last ?? (event.length ?? 0) - 1);
          if (!isPart) throw begun ? failure(candidate, WHOLE) : refuse(WHOLE);
          if (begun && stateOf(candidate, event) !== stateOf(candidate, begun))
            throw failure(candidate, 'changed between two parts');
          const emitted = begun ? [] : [event];
          begun ??= event;
          return emitted;
        }),
      );
    return concat(...parts.map(one));
  });

const failure = (candidate: Candidate, what: string): StreamError =>
  new StreamError('CHANGED', errorSourceOf(candidate), `${candidate.url} ${what}`);

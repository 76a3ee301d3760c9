import type { Stream } from './stream.ts';
import { EVENTFUL, wordOf } from './words.ts';

interface Wanted {
  readonly now: number;
  /** Milliseconds that are seen. */
  readonly span: number;
  readonly limit: number;
  readonly filter: string;
  readonly onlyEventful: boolean;
  /** Ids of the streams shown so far, from above. */
  readonly shown: readonly string[];
}

/** Milliseconds that a quiet stream stays after its end while others wait for its place. */
const LINGERS = 8_000;

export const matches = ({ facts, lanes }: Stream, filter: string): boolean =>
  filter
    .toLowerCase()
    .split(/\s+/)
    .every(
      (word) =>
        facts.path.toLowerCase().includes(word) ||
        facts.client?.toLowerCase().includes(word) ||
        lanes.some((lane) => lane.toLowerCase().includes(word)),
    );

/**
 * The streams to show, from above: eventful ones, the weightiest first and then the youngest; then
 * quiet ones. Those keep their places while they last, so that many short ones do not flicker.
 */
export const orderOf = (streams: Iterable<Stream>, wanted: Wanted): readonly Stream[] => {
  const { now, span, limit, filter, onlyEventful, shown } = wanted;
  const eventful: { readonly stream: Stream; readonly weight: number }[] = [];
  const quiet: Stream[] = [];
  for (const stream of streams) {
    const { ended, path } = stream.facts;
    if (path === '' || (ended !== undefined && ended < now - span)) continue;
    if (filter !== '' && !matches(stream, filter)) continue;
    const { weight } = wordOf(stream, now, span);
    if (weight >= EVENTFUL) eventful.push({ stream, weight });
    else quiet.push(stream);
  }
  const first = eventful
    .toSorted((a, b) => b.weight - a.weight || b.stream.facts.began - a.stream.facts.began)
    .map(({ stream }) => stream);
  if (onlyEventful) return first.slice(0, limit);
  const places = new Map(shown.map((id, place) => [id, place]));
  const stays = ({ id, facts }: Stream) => places.has(id) && (facts.ended ?? now) > now - LINGERS;
  const rank = (stream: Stream) => (stays(stream) ? 0 : stream.facts.outcome === undefined ? 1 : 2);
  const rest = quiet.toSorted(
    (a, b) =>
      rank(a) - rank(b) ||
      (stays(a) ? (places.get(a.id) ?? 0) - (places.get(b.id) ?? 0) : b.facts.began - a.facts.began),
  );
  return [...first, ...rest].slice(0, limit);
};

import { sayBytes } from './format.ts';
import type { Stream } from './stream.ts';
import { COPY, type Facts, SPILL } from './wire.ts';

/** Whether a lane is of what is on disk, and not of a source. */
export const isOnDisk = (lane: string | undefined): boolean => lane === COPY || lane === SPILL;

/** Milliseconds for which a quiet stream runs before its copy gets a lane: most are over by then. */
const SHORT = 2000;

/** Whether the lane of a copy, or of a spill, has something to say. */
const isTold = ({ facts, marks }: Stream, name: string, now: number): boolean => {
  if (name === SPILL || facts.copy === 'given-up') return true;
  if (facts.outcome === undefined) return now - facts.began >= SHORT;
  const slow = facts.copy === 'making' || facts.copy === 'whole';
  return (slow && now - (facts.ended ?? now) >= SHORT) || marks.some(({ kind }) => kind === 'lags' || kind === 'whole');
};

/**
 * The lanes to show below that of the client, from above: what is on disk, then the sources. Sources
 * that were not needed are not shown once all is over. `all`: what is on disk in any case.
 */
export const lanesOf = (stream: Stream, now: number, all = false): readonly number[] => {
  const { lanes, marks, facts } = stream;
  const places = lanes.map((_, lane) => lane);
  const last = Math.max(-1, ...marks.map(({ lane }) => (isOnDisk(lanes[lane]) ? -1 : lane)));
  return [
    ...places.filter((lane) => isOnDisk(lanes[lane]) && (all || isTold(stream, lanes[lane] ?? '', now))),
    ...places.filter((lane) => !isOnDisk(lanes[lane]) && (facts.outcome === undefined || lane <= last)),
  ];
};

/** The name of a lane on disk, with the bytes that it has. */
export const sayOnDisk = ({ facts }: Pick<Stream, 'facts'>, lane: string): string =>
  lane === COPY ? `copy ${sayBytes(facts.copied ?? 0)}` : `spill ${sayBytes(facts.spilled ?? 0)}`;

const STATES: Readonly<Record<NonNullable<Facts['copy']>, string>> = {
  making: 'being kept',
  whole: 'whole, not in its place yet',
  kept: 'kept',
  there: 'kept before',
  'given-up': 'given up',
  'too-large': 'too large to be kept',
  dropped: 'dropped with the response',
};

export const sayCopy = (copy: NonNullable<Facts['copy']>): string => STATES[copy];

/** What becomes of the copy; empty if none is kept. */
export const copyWord = ({ facts }: Pick<Stream, 'facts'>): string => {
  const { copy, behind = 0, problem } = facts;
  if (copy === undefined) return '';
  if (copy === 'given-up' && problem) return `given up: ${problem}`;
  return behind > 0 ? `${sayBytes(behind)} behind` : STATES[copy];
};

/** The same with all bytes on disk; empty if there are none. */
export const diskSentence = (stream: Pick<Stream, 'facts'>): string => {
  const { copy, copied = 0, spilled } = stream.facts;
  const words = [
    ...(copy ? [`Copy: ${sayBytes(copied)}, ${copyWord(stream)}.`] : []),
    ...(spilled === undefined ? [] : [`On disk for this client alone: ${sayBytes(spilled)}.`]),
  ];
  return words.join(' ');
};

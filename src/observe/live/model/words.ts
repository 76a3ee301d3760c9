import { copyWord } from './disk.ts';
import { sayBytes, sayRate, saySource, sayTime } from './format.ts';
import type { Stream } from './stream.ts';
import { CLIENT } from './wire.ts';

export type Tone = 'good' | 'busy' | 'slow' | 'bad' | 'calm';

/** What a stream's state is called, at its right. */
export interface Word {
  readonly text: string;
  readonly tone: Tone;
  /** From 0 for a quiet stream. */
  readonly weight: number;
}

/** The weight from which a stream is eventful. */
export const EVENTFUL = 10;
/** Milliseconds without a head from which a request counts as waiting. */
const WAITING = 2000;
/** The share of the time from which pauses are an event. */
const PAUSED = 0.1;

export const hasHead = ({ marks }: Stream): boolean => marks.some(({ kind }) => kind === 'head');

const failures = ({ marks }: Stream) => marks.filter(({ kind }) => kind === 'failed');

/** The share of the last seconds in which the client took nothing. */
export const pausedShare = ({ closed, facts }: Stream, now: number, span: number): number => {
  const from = Math.max(facts.began, now - span);
  const until = facts.ended ?? now;
  if (until - from < 1000) return 0;
  let sum = 0;
  for (const [second, milliseconds] of closed) if (second >= from - 1000) sum += milliseconds;
  return Math.min(1, sum / (until - from));
};

/** Bytes a second that the client got, of the last five whole seconds. */
export const rateOf = ({ bytes, facts }: Stream, now: number): number => {
  const isOwn = bytes.some(([, lane]) => lane === CLIENT);
  const last = Math.floor((facts.ended ?? now) / 1000) * 1000;
  const first = Math.max(last - 5000, Math.floor(facts.began / 1000) * 1000);
  let sum = 0;
  for (const [second, lane, count] of bytes)
    if (second >= first && second < last && (lane === CLIENT) === isOwn) sum += count;
  return last > first ? (sum * 1000) / (last - first) : 0;
};

const took = ({ began, ended = began }: Stream['facts']): string => sayTime(ended - began);

/** The word for what became of a stream so far. */
export const wordOf = (stream: Stream, now: number, span = 30_000): Word => {
  const { facts, marks, lanes } = stream;
  const head = hasHead(stream);
  const resumed = marks.findLast(({ kind }) => kind === 'resumed');
  const failed = failures(stream);
  if (facts.outcome === 'failed') {
    if (head) return { text: `CUT after ${sayBytes(facts.sent)}`, tone: 'bad', weight: 100 };
    const refused = failed.length === 0;
    return { text: `${refused ? 'REFUSED' : 'FAILED'} ${facts.code ?? ''}`, tone: 'bad', weight: refused ? 1 : 90 };
  }
  if (facts.outcome === 'left') return { text: `LEFT after ${sayBytes(facts.sent)}`, tone: 'calm', weight: 2 };
  const on = saySource(lanes[resumed?.lane ?? -1] ?? '');
  if (resumed)
    return facts.outcome
      ? { text: `RESUMED, DONE in ${took(facts)}`, tone: 'good', weight: 70 }
      : { text: `RESUMED on ${on}`, tone: 'busy', weight: 75 };
  if (failed.length > 0 && head) return { text: 'REPLACED before the head', tone: 'good', weight: 60 };
  if (failed.length > 0 && !facts.outcome) return { text: 'TRYING the next source', tone: 'slow', weight: 65 };
  if (!head && !facts.outcome && now - facts.began > WAITING)
    return { text: `WAITING ${sayTime(now - facts.began)}`, tone: 'slow', weight: 50 };
  const share = pausedShare(stream, now, span);
  if (share > PAUSED && !facts.outcome)
    return { text: `PAUSED ${Math.round(share * 100)} % of the time`, tone: 'slow', weight: 40 };
  if (facts.copy === 'given-up') return { text: 'COPY GIVEN UP', tone: 'slow', weight: 35 };
  if (facts.behind) return { text: `COPY ${sayBytes(facts.behind)} behind`, tone: 'slow', weight: 30 };
  if (facts.outcome) return { text: `DONE in ${took(facts)}`, tone: 'good', weight: 0 };
  return { text: head ? sayRate(rateOf(stream, now)) : 'STARTING', tone: 'busy', weight: 0 };
};

/** What proves the body, in words; empty if nothing does. */
export const proofOf = ({ facts }: Stream): string => {
  const { digest, proven, outcome } = facts;
  if (!digest || outcome === 'failed' || outcome === 'left') return '';
  if (proven) return `${digest} right before the head`;
  return outcome ? `whole, ${digest} right` : `${digest} running`;
};

/** One sentence for a screen reader. It changes only at events. */
export const sentenceOf = (stream: Stream): string => {
  const { facts, lanes, marks } = stream;
  const words = [`${facts.path}${facts.client ? `, client ${facts.client}` : ''}`];
  for (const { kind, lane, text } of marks) {
    const source = saySource(lanes[lane] ?? '');
    if (kind === 'failed') words.push(`${source} failed with ${text}`);
    else if (kind === 'resumed') words.push(`resumed on ${source}`);
    else if (kind === 'head') words.push(`served by ${source}`);
    else if (kind === 'shared') words.push('shares a transfer');
    else if (kind === 'on-disk') words.push('waits on disk for its client');
    else if (kind === 'whole') words.push(`${source} has sent all`);
    else if (kind === 'lags') words.push('its copy falls behind');
    else if (kind === 'caught-up') words.push('its copy has caught up');
    else if (kind === 'kept' || kind === 'given-up') words.push(`copy ${copyWord(stream)}`);
  }
  if (!facts.outcome) words.push('running');
  else if (facts.outcome === 'failed') words.push(hasHead(stream) ? 'cut' : `failed with ${facts.code}`);
  else words.push(facts.outcome === 'left' ? 'left by its client' : `done${facts.digest ? ', proven right' : ''}`);
  return `${words.join('; ')}.`;
};

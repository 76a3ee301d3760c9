import type { FinishedReport } from './finished.ts';
import { emptyStream, type Stream } from './stream.ts';
import { COPY, EARLY, type Mark, type MarkKind } from './wire.ts';

const KINDS: Readonly<Record<string, MarkKind>> = {
  attempt: 'attempt',
  failed: 'failed',
  resumed: 'resumed',
  head: 'head',
};

/** The diagram of a report: without marbles, since nobody looked when the bytes came. */
export const streamOf = (report: FinishedReport): Stream => {
  const stream = emptyStream(report.id);
  const began = report.at - report.duration;
  const failures = report.attempts.filter(({ code }) => code !== undefined);
  let lane = -1;
  let failed = 0;
  const laneOf = (source: string) => {
    if (!stream.lanes.includes(source)) stream.lanes.push(source);
    return stream.lanes.indexOf(source);
  };
  for (const { at, what, detail } of report.timeline) {
    const kind = KINDS[what];
    if (!kind) continue;
    const [source = ''] = detail.split(what === 'failed' ? ': ' : / (?:from|at) byte /, 1);
    if (what !== 'head') lane = laneOf(source);
    const text = what === 'failed' ? failures[failed++]?.code : undefined;
    stream.marks.push({ at: began + at, lane, kind, text } satisfies Mark);
  }
  const { path, client, bytes: sent, outcome, code, verified, copy, copied } = report;
  if (copy && copied) {
    const { whole = report.at, at: end, problem } = copied;
    const own = laneOf(COPY);
    stream.marks.push({ at: stream.marks.find(({ kind }) => kind === 'head')?.at ?? began, lane: own, kind: 'begun' });
    if (report.at >= whole + EARLY) stream.marks.push({ at: whole, lane, kind: 'whole' });
    if (end !== undefined && copy !== 'making' && copy !== 'whole')
      stream.marks.push({ at: end, lane: own, kind: copy, text: problem });
  }
  stream.marks.push({ at: report.at, lane: report.source ? laneOf(report.source) : -1, kind: 'end' });
  stream.facts = {
    ...{ path, client, began, sent, paused: report.pausedFor, ended: report.at, code, digest: verified },
    ...(copy && { copy, copied: copied?.bytes, problem: copied?.problem }),
    outcome: outcome === 'complete' || outcome === 'left' ? outcome : 'failed',
  };
  return stream;
};

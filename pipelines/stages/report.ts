import { asyncScheduler, type SchedulerLike } from 'rxjs';
import {
  type AttemptReport,
  type Candidate,
  type Chunk,
  type Head,
  isNote,
  type Moment,
  type Note,
  type Outcome,
  type Report,
  type StreamError,
  type StreamEvent,
  type StreamRequest,
  sourceName,
  toStreamError,
} from '../model/index.ts';
import { operate, type Stage } from '../operators/operate.ts';
import { followValve } from '../operators/valve.ts';

interface ReportDeps {
  /** Called exactly once for each request, with any outcome. */
  readonly report?: (report: Report) => void;
  readonly scheduler?: SchedulerLike;
}

/**
 * Adds the last event, `end`, with the report, and calls `deps.report` exactly once for each
 * request: complete, failed, or left by its consumer. Errors are StreamErrors from here on.
 */
export const report = (
  request: StreamRequest,
  { report: onReport, scheduler = asyncScheduler }: ReportDeps,
): Stage<Head | Chunk | Note, StreamEvent> =>
  operate((out, valve) => {
    const began = scheduler.now();
    const attempts: AttemptReport[] = [];
    const timeline: Moment[] = [];
    let head: Head | undefined;
    let serving: Candidate | undefined;
    let bytes = 0;
    let firstByte: number | undefined;
    let recorded = false;
    let pauses = 0;
    let pausedFor = 0;
    let pausedSince: number | undefined;
    let finished: Report | undefined;

    const elapsed = () => scheduler.now() - began;
    const mark = (what: Moment['what'], detail: string) => timeline.push({ at: elapsed(), what, detail });

    const unpause = () => {
      if (pausedSince !== undefined) pausedFor += elapsed() - pausedSince;
      pausedSince = undefined;
    };

    const finish = (outcome: Outcome, error?: StreamError): Report => {
      unpause();
      mark('end', outcome);
      const { id, method, path } = request;
      const verified =
        outcome === 'complete' && method === 'GET' && head?.whole && !head.candidate.unproven
          ? head.candidate.entry.checksum?.algorithm
          : undefined;
      const source = serving && sourceName(serving.source);
      const handed = head?.handedOver && { handedOver: true };
      const copy = head?.copy && { copy: head.copy };
      const times = { duration: elapsed(), firstByte, pauses, pausedFor };
      finished = {
        id,
        method,
        path,
        outcome,
        error,
        bytes,
        source,
        attempts,
        verified,
        recorded,
        timeline,
        ...times,
        ...handed,
        ...copy,
      };
      onReport?.(finished);
      return finished;
    };

    const note = (event: Note) => {
      if (event.type === 'recorded') {
        recorded = true;
        mark('recorded', event.unitId);
        return;
      }
      if (event.type === 'found') {
        const { length } = event.candidates;
        mark('found', `${length} ${length === 1 ? 'candidate' : 'candidates'}`);
        return;
      }
      if (event.type === 'shared' || event.type === 'behind' || event.type === 'on-disk') {
        mark(event.type, event.type === 'behind' ? `at byte ${event.from}` : '');
        return;
      }
      const { url } = event.candidate;
      const source = sourceName(event.candidate.source);
      if (event.type === 'resumed') serving = event.candidate;
      if (event.type === 'attempt') {
        attempts.push({ source, url, from: event.from });
        mark('attempt', event.from > 0 ? `${source} from byte ${event.from}` : source);
      } else if (event.type === 'asked') mark('asked', source);
      else if (event.type === 'resumed') mark('resumed', `${source} at byte ${event.from}`);
      else {
        const { code, message } = event.error;
        const failed = attempts.findLastIndex((one) => one.source === source && one.url === url && !one.failure);
        const attempt = attempts[failed];
        if (attempt) attempts[failed] = { ...attempt, failure: { code, message, phase: event.phase } };
        mark('failed', `${source}: ${message}`);
      }
    };

    out.add(() => {
      if (!finished) finish('left');
    });
    followValve(valve, out, (open) => {
      if (open) unpause();
      // Before the head a closed valve does not count as a pause: a request may begin before its
      // turn.
      else if (head && pausedSince === undefined) {
        pausedSince = elapsed();
        pauses += 1;
      }
    });

    return {
      next: (event) => {
        if (isNote(event)) note(event);
        else if (event.type === 'head') {
          head = event;
          serving = event.candidate;
          mark('head', event.length === undefined ? 'length unknown' : `${event.length} bytes`);
        } else {
          if (bytes === 0) {
            firstByte = elapsed();
            mark('first-byte', '');
          }
          bytes += event.bytes.length;
        }
        out.next(event);
      },
      error: (thrown) => {
        const error = toStreamError(thrown);
        finish('failed', error);
        out.error(error);
      },
      complete: () => {
        out.next({ type: 'end', report: finish('complete') });
        out.complete();
      },
    };
  });
